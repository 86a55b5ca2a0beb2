"""EIO-WS-12: a poll and a POST for a session that is on a WebSocket."""
import json

from raw import WebSocket, judge, request

client = WebSocket()
sid = json.loads(client.receive()[1:])["sid"]
client.send("40")
client.until("40{")
wrong = []
for method, body in [("GET", None), ("POST", '42["message","from the side"]')]:
    answer = request(method, f"EIO=4&transport=polling&sid={sid}", body, within=0.8)
    client.until("nothing", within=0.1)
    if answer is None or answer.status != 400:
        wrong.append(f"a {method} {f'with {answer.status}' if answer else 'not at all'}")
if not client.is_answered():
    wrong.append("the next event on the WebSocket not at all")
judge(not wrong, "both are refused with 400", f"it answers {', '.join(wrong)}")
