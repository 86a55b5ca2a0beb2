"""EIO-LP-10: what comes after an invalid packet in the same POST."""
from raw import Polling, SEPARATOR, connected, judge

watcher = connected()
watcher.send('420["t:join",["proof"]]')
watcher.until("430")
client = Polling()
client.connect()
client.post(f'abc{SEPARATOR}421["t:cast",{{"to":["proof"]}},"after",[]]')
judge(not watcher.until('"after"', within=1.5), "it is not processed", "it is processed")
