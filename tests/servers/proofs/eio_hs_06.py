"""EIO-HS-06: a handshake over long-polling whose EIO is no version of the protocol."""
from raw import judge, request

answer = request("GET", "EIO=abc&transport=polling")
judge(answer and answer.status == 400, "it is refused with 400", f"it is answered with {answer and answer.status}")
