"""EIO-LP-17: the session after a POST longer than maxPayload."""
from raw import Polling, cannot_say, judge

client = Polling()
if "maxPayload" not in client.handshake:
    cannot_say("the handshake has no maxPayload")
client.connect()
client.post(f'42["message","{"x" * client.handshake["maxPayload"]}"]')
client.post('42["message","still there"]')
judge(client.poll_for("still there", within=2), "the session goes on", "the session is over")
