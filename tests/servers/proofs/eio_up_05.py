"""EIO-UP-05: a noop over a WebSocket, after an upgrade."""
from raw import Polling, WebSocket, judge

client = Polling()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
upgrade.send("5")
upgrade.send("40")
first = upgrade.receive()
second = upgrade.receive(within=1)
judge("6" not in (first, second), "there is none", "a noop comes over the WebSocket")
