"""EIO-CL-03: the server ends a session between two polls."""
from raw import Polling, judge

client = Polling()
client.connect()
client.post('42["t:bye",true]')
seen = client.poll_for("1", within=3) or []
judge("1" in seen, "the next poll fetches the close packet", "the next poll gets no close packet")
