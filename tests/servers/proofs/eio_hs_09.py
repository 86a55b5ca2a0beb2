"""EIO-HS-09: a handshake by POST."""
from raw import judge, request

answer = request("POST", "EIO=4&transport=polling", "", within=3)
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}, body {answer.body!r}" if answer else "no answer")
