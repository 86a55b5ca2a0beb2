"""EIO-CL-01: a close packet over long-polling."""
from raw import Polling, judge

client = Polling()
poll = client.begin_poll()
client.post("1")
released = poll.answer(within=2)
after = client.poll(within=2)
judge(
    released is not None and after is not None and after.status == 400,
    "the pending poll is answered, and the session is unknown",
    f"pending poll: {'not answered' if released is None else 'answered'}; next poll: {after.status if after else 'not answered'}",
)
