"""EIO-CL-05: the server ends a WebSocket."""
from raw import connected, judge

client = connected()
client.send('42["t:bye",true]')
client.ends()
has_frame = hasattr(client, "close_code")
judge(has_frame, "a close frame comes before the end of the connection", "the connection ends without a close frame" if client.closed else "the connection does not end")
