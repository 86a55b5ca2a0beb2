"""EIO-LP-12: a poll while another one is pending."""
import time

from raw import Polling, judge

client = Polling()
polls = []
for _ in range(3):  # a ping may answer one
    polls.append(client.begin_poll())
    time.sleep(0.1)
answers = [poll.answer(within=0.5) for poll in polls]
after = client.post("40", within=2)
refused = any(answer is not None and answer.status >= 400 for answer in answers)
ended = after is not None and after.status >= 400
judge(
    refused and ended,
    "it is refused, and the session ends",
    f"{'one is' if refused else 'none is'} refused, and the session {'ends' if ended else 'goes on'}",
)
