"""SIO-NS-22: what a client hears of the main namespace that has joined /custom alone."""
from raw import WebSocket, connected, judge

listener = WebSocket()
listener.send("40/custom,")
listener.until("40/custom,")
speaker = connected()
speaker.send('42["t:cast",{"from":"io","to":[],"except":[],"flags":[]},"news",["for the main namespace"]]')
heard = listener.until("42[", within=2)
while heard and "news" not in heard:
    heard = listener.until("42[", within=2)
judge(heard is None, "nothing", f"a broadcast to the main namespace: {heard}")
