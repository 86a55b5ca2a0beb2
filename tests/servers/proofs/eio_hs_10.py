"""EIO-HS-10: a handshake by PUT."""
from raw import judge, request

answer = request("PUT", "EIO=4&transport=polling")
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}" if answer else "no answer")
