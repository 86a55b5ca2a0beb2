"""EIO-HTTP-15: a poll that its client aborts."""
import time

from raw import Polling, judge

client = Polling()
poll = client.begin_poll()
time.sleep(0.1)
poll.connection.close()
time.sleep(0.1)
answer = client.poll(within=3)
judge(answer is not None and answer.status == 400, "the session ends", f"the session goes on: {answer.status if answer else 'no answer'}")
