"""EIO-HS-12: a WebSocket that names no version of the protocol, or an unknown one."""
from raw import WebSocket, judge

opened = []
for query in ["transport=websocket", "EIO=abc&transport=websocket"]:
    client = WebSocket(query)
    if not client.closed and not client.ends(within=3):
        opened.append(query)
    client.drop()
judge(not opened, "it is refused or closed", f"it stays open for {' and '.join(opened)}")
