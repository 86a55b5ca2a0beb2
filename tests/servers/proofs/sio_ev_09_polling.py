"""SIO-EV-09: two hundred events in one POST and, when that is answered, one more in the next, each answered by one."""
import contextlib
import io

from raw import Polling, judge

ROUNDS = 40


def answers():
    client = Polling()
    client.connect()
    client.post("\x1e".join(f'42["message",{n}]' for n in range(200)))
    client.post('42["message",200]')
    packets = []
    while '42["message-back",200]' not in packets and (more := client.poll_for("message-back")):
        packets += more
    # One more: what was overtaken comes after.
    packets += client.poll_for("message-back", within=1) or []
    return [int(packet.split(",")[1].strip("] ")) for packet in packets if "message-back" in packet]


for _ in range(ROUNDS):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        seen = answers()
    if seen != sorted(seen):
        print(told.getvalue(), end="")
        place = next(index for index in range(1, len(seen)) if seen[index] < seen[index - 1])
        judge(False, "", f"the answer to {seen[place]} comes after that to {seen[place - 1]}")
judge(True, f"the order is kept, {ROUNDS} times", "")
