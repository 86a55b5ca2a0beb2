"""EIO-LP-07: whether a poll is ever answered with nothing."""
from raw import Polling, judge

empty = []
for end in ["1", '42["t:bye",true]', "abc"]:
    client = Polling()
    client.connect()
    poll = client.begin_poll()
    client.post(end)
    answer = poll.answer(within=3)
    while answer and answer.status == 200 and answer.body and "1" not in answer.packets:
        answer = client.poll(within=3)
    if answer and answer.status == 200 and not answer.body:
        empty.append(end)
    print()
judge(not empty, "it brings packets", f"a pending poll gets 200 and an empty body after {', '.join(empty)}")
