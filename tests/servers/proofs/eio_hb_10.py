"""EIO-HB-10: a pong with content."""
from raw import connected, judge

client = connected()
client.send("3probe")
judge(client.is_answered(), "it is taken", "the connection ends" if client.closed else "nothing is answered any more")
