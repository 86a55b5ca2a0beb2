"""SEM-RM-08: the rooms that the application sees of a client that leaves."""
from raw import connected, judge

watcher = connected()
watcher.send('420["t:join","watch"]')
watcher.until("430[")
leaver = connected()
leaver.send('420["t:join","hall"]')
leaver.until("430[")
leaver.send("41")
gone = watcher.until('"gone"', within=3)
judge('"hall"' in (gone or ""), "it is still in its rooms", f"it is in none of its rooms: {gone}")
