"""EIO-LP-16: a POST longer than maxPayload."""
from raw import Polling, judge

client = Polling()
client.connect()
answer = client.post(f'42["message","{"x" * client.handshake["maxPayload"]}"]')
judge(answer is not None and answer.status == 413, "status 413", f"status {answer.status}" if answer else "no answer: the connection ends")
