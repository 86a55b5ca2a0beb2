"""EIO-HS-15: a WebSocket with transport=polling."""
from raw import WebSocket, judge

client = WebSocket("EIO=4&transport=polling")
message = client.receive() if client.status == 101 else None
judge(
    not message and client.status != 200,
    "there is no session",
    "the WebSocket gets an open packet" if message else "it is answered with 200, like a handshake of long-polling",
)
