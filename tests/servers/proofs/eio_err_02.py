"""EIO-ERR-02: a handshake by another method than GET."""
from raw import judge, request

answer = request("POST", "EIO=4&transport=polling", "40")
is_kept = answer is not None and answer.status == 400 and '"code":2' in answer.body.replace(" ", "")
judge(is_kept, "status 400 with code 2", f"status {answer.status}, body {answer.body[:60]!r}" if answer else "no answer")
