"""EIO-WS-05: a frame without a mask."""
from raw import connected, judge, tell

client = connected()
text = b'42["message","unmasked"]'
tell(">", text.decode() + " (unmasked)")
client.connection.send(bytes([0x81, len(text)]) + text)
ended = client.ends()
judge(ended, "the server closes the connection", "the server takes the frame and keeps the connection open")
