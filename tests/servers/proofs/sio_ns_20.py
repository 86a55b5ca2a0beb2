"""SIO-NS-20: an event right behind a DISCONNECT."""
from raw import connected, judge

watcher = connected()
watcher.send('420["t:join",["proof"]]')
watcher.until("430")
handled = False
for _ in range(10):
    client = connected()
    client.send_at_once("41", '42["t:cast",{"from":"io","to":["proof"]},"news",["too late"]]')
    handled = watcher.until('"too late"', within=0.5) is not None
    client.drop()
    if handled:
        break
judge(not handled, "it is not handled", "it is handled")
