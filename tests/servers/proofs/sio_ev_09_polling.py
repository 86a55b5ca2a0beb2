"""SIO-EV-09: two hundred events in one POST and, when that is answered, one more in the next, each answered by one."""
from raw import Polling, judge_order

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


judge_order(ROUNDS, answers)
