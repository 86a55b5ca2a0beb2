"""SIO-PK-27: whether an event with something behind its payload is handled."""
from raw import connected, judge

watcher = connected()
watcher.send('420["t:join",["proof"]]')
watcher.until("430")
handled = []
for packet in ['421["t:cast",{"from":"io","to":["proof"]},"told",["trailing"]]nonsense', '42-1["t:cast",{"from":"io","to":["proof"]},"told",["id"]]']:
    client = connected()
    client.send(packet)
    if watcher.until('"told"', within=1):
        handled.append(packet)
judge(not handled, "it is not handled", f"{len(handled)} of 2 are handled")
