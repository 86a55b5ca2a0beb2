"""SEM-SK-04: sockets that are disconnected in bulk, with their connections."""
from raw import cannot_say, connected, judge

client = connected()
client.send('420["t:join",["proof"]]')
client.until("430")
other = connected()
other.send('420["t:sockets",{"from":"io","to":["proof"],"except":[],"flags":[]},"disconnect",true]')
if not other.until("430"):
    cannot_say("the fixture does not acknowledge t:sockets")
judge(client.ends(within=3), "the connection ends", "the connection stays open")
