"""EIO-UP-04: a poll that is pending when a WebSocket opens that sends no probe."""
import time

from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
time.sleep(0.2)
poll = client.begin_poll()
client.post('42["message","still there"]')
answer = poll.answer(within=2)
judge(answer is not None and "6" not in answer.packets, "the poll goes on", f"the poll gets {answer.body if answer else 'no answer'}")
