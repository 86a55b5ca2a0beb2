"""EIO-HS-17: a handshake with an empty sid."""
from raw import judge, request

answer = request("GET", "EIO=4&transport=polling&sid=")
judge(answer is not None and answer.status == 200, "it opens a session", f"status {answer.status}, body {answer.body[:60]!r}" if answer else "no answer")
