"""EIO-WS-07: a message longer than maxPayload."""
import json

from raw import WebSocket, judge

client = WebSocket()
limit = json.loads(client.receive()[1:]).get("maxPayload", 1_000_000)
client.send("40")
client.until('"auth"')
client.send(f'42["message","{"x" * limit}"]')
ended = client.ends(within=3)
judge(ended, "the server closes the connection", "the server keeps the connection open" + (", and answers the next event" if client.is_answered() else ", and answers nothing any more"))
