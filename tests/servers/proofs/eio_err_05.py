"""EIO-ERR-05: another version of the protocol."""
from raw import judge, request

answer = request("GET", "EIO=3&transport=polling")
is_kept = answer.status == 400 and '"code":5' in answer.body.replace(" ", "")
judge(is_kept, "status 400 with code 5", f"status {answer.status}, body {answer.body[:60]!r}")
