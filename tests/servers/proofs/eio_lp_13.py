"""EIO-LP-13: a POST while another one is arriving."""
import time

from raw import Connection, Polling, head, judge, read_head, tell

client = Polling()
slow = Connection()
tell(">", "POST 4 (and the last of its 2 bytes later)")
slow.send(head("POST", f"/socket.io/?{client.query}", {"Content-Type": "text/plain;charset=UTF-8", "Content-Length": "2"}) + b"4")
time.sleep(0.2)
second = client.post("40/custom,", within=2)
is_refused = second is not None and second.status >= 400
slow.send(b"0")
try:
    tell("<", f"{read_head(slow, time.monotonic() + 2)[0]} (for the slow one)")
except (TimeoutError, EOFError):
    tell("<", "(nothing for the slow one)")
after = client.poll(within=2)
judge(
    is_refused and (after is None or after.status >= 400),
    "the second is refused and the session ends",
    f"the second POST gets {second.status if second else 'no answer'}, the next poll {after.status if after else 'no answer'}",
)
