"""SIO-PK-09: an event whose name is a number."""
from raw import connected, judge

client = connected()
client.send('42[5,"hello"]')
judge(client.is_answered(), "it is an event", "the connection ends" if client.closed else "nothing is answered any more")
