"""EIO-ERR-00: an unknown transport."""
from raw import judge, request

answer = request("GET", "EIO=4&transport=abc")
is_kept = answer is not None and answer.status == 400 and '"code":0' in answer.body.replace(" ", "")
judge(is_kept, "status 400 with code 0", f"status {answer.status}, body {answer.body[:60]!r}" if answer else "no answer")
