"""EIO-WS-11: open, upgrade and noop packets from a client."""
from raw import connected, judge

ended = []
for packet in ["0", "5", "6"]:
    client = connected()
    client.send(packet)
    if not client.is_answered():
        ended.append(packet)
    client.drop()
    print()
judge(not ended, "they are ignored", f"the connection ends after {', '.join(ended)}")
