"""SEM-OR-10: a hundred and twenty events, each answered by one, and then the polls that fetch the answers."""
import time

from raw import Polling, judge

client = Polling()
client.connect()
for first in range(0, 120, 40):
    client.post("\x1e".join(f'42["message",{n}]' for n in range(first, first + 40)))
    time.sleep(0.2)
client.post('42["message","last"]')
packets = client.poll_for("last", within=5) or []
answered = {packet.split(",")[1].strip("] ") for packet in packets if "message-back" in packet}
lost = [str(n) for n in range(120) if str(n) not in answered]
judge(not lost, "every answer comes", f"the answers to {', '.join(lost)} do not come, and those after them do")
