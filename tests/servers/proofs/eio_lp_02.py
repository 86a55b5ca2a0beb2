"""EIO-LP-02: a POST with twenty packets."""
from raw import Polling, SEPARATOR, judge

client = Polling()
client.connect()
client.post(SEPARATOR.join(f'42["message",{n}]' for n in range(20)))
seen = []
while (more := client.poll_for("message-back", within=2)) is not None:
    seen += [packet for packet in more if "message-back" in packet]
    if len(seen) >= 20:
        break
judge(len(seen) == 20, "all twenty are handled", f"{len(seen)} of twenty are handled")
