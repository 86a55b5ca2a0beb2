"""SEM-OR-08: what comes before the answer to a CONNECT."""
from raw import Polling, judge

client = Polling()
client.post("40")
packets = client.poll_for("40{") or []
accepted = next((index for index, packet in enumerate(packets) if packet.startswith("40")), len(packets))
early = [packet for packet in packets[:accepted] if packet.startswith(("42", "43", "45", "46"))]
judge(not early, "no event", f"an event of the namespace: {', '.join(early)}")
