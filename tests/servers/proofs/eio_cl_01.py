"""EIO-CL-01: a close packet over long-polling. Soon, for the next ping would release the poll, too."""
from raw import Polling, judge

client = Polling()
poll = client.begin_poll()
client.post("1")
released = poll.answer(within=0.8)
after = client.poll(within=2)
judge(
    released is not None and released.status == 200 and after is not None and after.status == 400,
    "the pending poll is answered, and the session is unknown",
    f"the pending poll gets {f'{released.status} {released.body!r}' if released else 'no answer in 0.8 s'}, the next poll {after.status if after else 'no answer'}",
)
