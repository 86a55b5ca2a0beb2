"""EIO-HS-14: a plain GET with transport=websocket."""
from raw import judge, request

answer = request("GET", "EIO=4&transport=websocket", within=2)
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}, {answer.body[:40]!r}" if answer else "no answer")
