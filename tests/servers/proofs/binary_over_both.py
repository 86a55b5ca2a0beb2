"""EIO-WS-01, SEM-BC-15, SIO-BIN-07: broadcasts with an attachment, to a client on a WebSocket and one on long-polling."""
from raw import Polling, connected, judge

ROUNDS = 8
listener = connected()
listener.send('420["t:join",["proof"]]')
listener.until("430")
poller = Polling()
poller.connect()
poller.post('420["t:join",["proof"]]')
poller.poll_for("430")
sender = connected()
wrong = []
for _ in range(ROUNDS):
    poll = poller.begin_poll()
    sender.send('451-["t:cast",{"from":"io","to":["proof"]},"picture",[{"_placeholder":true,"num":0}]]')
    sender.send(b"\x01\x02")
    came = listener.until("picture")
    attachment = listener.receive()
    if not isinstance(attachment, bytes):
        wrong.append(f"the text {attachment} on the WebSocket")
    answer = poll.answer(within=2)
    polled = answer.packets if answer else []
    if answer and answer.status != 200:
        wrong.append(f"lost over long-polling, whose poll gets status {answer.status}")
    if any("picture" in packet for packet in polled) and "bAQI=" not in polled:
        follow = poller.poll(within=1)
        if not follow or "bAQI=" not in follow.packets:
            wrong.append(f"{polled[-1]!r} over long-polling")
    if "2" in polled:
        poller.post("3")
    if wrong:
        break
judge(not wrong, "the attachment is binary on the WebSocket and base64 over long-polling", "the attachment is " + "; ".join(wrong))
