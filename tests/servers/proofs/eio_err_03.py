"""EIO-ERR-03: a poll for a session that is on a WebSocket, and a GET for a WebSocket that asks for none."""
import json

from raw import WebSocket, judge, request

client = WebSocket()
sid = json.loads(client.receive()[1:])["sid"]
answers = [request("GET", f"EIO=4&transport=polling&sid={sid}", within=2), request("GET", "EIO=4&transport=websocket", within=2)]
is_kept = all(answer and answer.status == 400 and '"code":3' in answer.body.replace(" ", "") for answer in answers)
told = [f"{answer.status} {answer.body[:40]!r}" if answer else "no answer" for answer in answers]
judge(is_kept, "status 400 with code 3, twice", "; ".join(told))
