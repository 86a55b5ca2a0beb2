"""EIO-HS-12: what a WebSocket gets that names no version of the protocol, or none that there is."""
from raw import WebSocket, judge

opened = []
for query in ["transport=websocket", "EIO=abc&transport=websocket"]:
    client = WebSocket(query)
    if (message := client.receive()) and message.startswith("0"):
        opened.append(query)
    client.drop()
judge(not opened, "no open packet", f"an open packet for {' and '.join(opened)}")
