"""SIO-BIN-20: a client that leaves before the last attachment of its event."""
from raw import connected, judge

watcher = connected()
watcher.send('420["t:join",["proof"]]')
watcher.until("430")
client = connected()
client.send('452-["t:cast",{"from":"io","to":["proof"]},"told",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]]')
client.send(b"\x01")
client.send("41")
judge(not watcher.until('"told"', within=1.5), "the event is not handled", "the event is handled")
