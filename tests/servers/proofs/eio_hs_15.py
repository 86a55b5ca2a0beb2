"""EIO-HS-15: a WebSocket with transport=polling."""
from raw import WebSocket, judge

client = WebSocket("EIO=4&transport=polling")
message = client.receive() if client.status == 101 else None
judge(not message, "there is no open packet", "the WebSocket gets an open packet")
