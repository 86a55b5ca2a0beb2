"""EIO-HS-05: a handshake without the version of the protocol."""
from raw import judge, request

answer = request("GET", "transport=polling", within=3)
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}" if answer else "no answer")
