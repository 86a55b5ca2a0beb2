"""EIO-LP-11: an empty packet."""
from raw import Polling, SEPARATOR, judge

alive = []
for name, body in {"nothing": "", "a separator at the end": f"3{SEPARATOR}", "a separator at the beginning": f"{SEPARATOR}3"}.items():
    client = Polling()
    client.connect()
    client.post(body)
    client.post('42["message","still there"]')
    if client.poll_for("still there", within=2):
        alive.append(name)
    print()
judge(not alive, "the session ends", f"the session goes on after {', '.join(alive)}")
