"""EIO-WS-02: an event with one byte of attachment, which the application sends over a WebSocket."""
from raw import connected, judge

client = connected()
client.send('420["t:burst",2,1,true]')
client.until('"n",1')
attachment = client.until(b"")
judge(attachment == b"\x01", "the frame holds the byte", f"the frame holds {'nothing' if attachment is None else attachment.hex(' ')} for the byte 01")
