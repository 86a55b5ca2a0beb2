"""EIO-LP-18: a POST as long as maxPayload allows."""
from raw import Polling, cannot_say, judge

client = Polling()
if "maxPayload" not in client.handshake:
    cannot_say("the handshake has no maxPayload")
client.connect()
text = "x" * (client.handshake["maxPayload"] - 16)
answer = client.post(f'42["message","{text}"]', within=10)
seen = client.poll_for("message-back", within=10) or []
whole = any(text in packet for packet in seen)
judge(whole, "the event is answered", f"the POST gets {answer.status if answer else 'no answer'}, and the event is not answered")
