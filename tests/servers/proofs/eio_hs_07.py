"""EIO-HS-07: a handshake without the parameter transport."""
from raw import judge, request

answer = request("GET", "EIO=4")
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}, body {answer.body[:60]!r}" if answer else "no answer")
