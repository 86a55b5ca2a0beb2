"""EIO-HS-13: a WebSocket that names no transport, or an unknown one."""
from raw import WebSocket, judge

strange = []
for query in ["EIO=4", "EIO=4&transport=abc"]:
    client = WebSocket(query)
    if client.status == 200:
        strange.append(f"{query} is answered like a handshake of long-polling")
    elif not client.closed and not client.ends(within=3):
        strange.append(f"{query} stays open")
    client.drop()
judge(not strange, "it is refused or closed", "; ".join(strange))
