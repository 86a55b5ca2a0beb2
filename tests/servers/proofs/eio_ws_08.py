"""EIO-WS-08: a message as long as maxPayload allows."""
import json

from raw import WebSocket, cannot_say, judge

client = WebSocket()
limit = json.loads(client.receive()[1:]).get("maxPayload")
if limit is None:
    cannot_say("the handshake has no maxPayload")
client.send("40")
client.until('"auth"')
client.send(f'42["message","{"x" * (limit - 16)}"]')
came = client.until("message-back", within=10)
judge(came, "the event is answered", "the connection ends" if client.closed else "the event is not answered")
