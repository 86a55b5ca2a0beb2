"""EIO-ERR-01: an unknown session."""
from raw import judge, request

answer = request("GET", "EIO=4&transport=polling&sid=nope")
is_kept = answer is not None and answer.status == 400 and '"code":1' in answer.body.replace(" ", "")
judge(is_kept, "status 400 with code 1", f"status {answer.status}, body {answer.body[:60]!r}" if answer else "no answer")
