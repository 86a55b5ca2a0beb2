"""EIO-LP-09: a POST of something that is no packet."""
from raw import Polling, judge

alive = []
for body in ["abc", "9"]:
    client = Polling()
    client.connect()
    client.post(body)
    client.post('42["message","still there"]')
    if client.poll_for("still there", within=2):
        alive.append(body)
    print()
judge(not alive, "the session ends", f"the session goes on after {', '.join(alive)}")
