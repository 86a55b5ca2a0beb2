"""EIO-LP-16: a POST longer than maxPayload."""
from raw import Polling, cannot_say, judge

client = Polling()
if "maxPayload" not in client.handshake:
    cannot_say("the handshake has no maxPayload")
client.connect()
answer = client.post(f'42["message","{"x" * client.handshake["maxPayload"]}"]')
judge(answer is not None and answer.status == 413, "status 413", f"status {answer.status}" if answer else "no answer: the connection ends")
