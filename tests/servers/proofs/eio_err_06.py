"""EIO-ERR-06: several mistakes in one request."""
from raw import judge, request

answers = [request("GET", "EIO=3&transport=abc&sid=nope"), request("GET", "EIO=3&transport=polling&sid=nope")]
is_kept = all(answer and f'"code":{code}' in answer.body.replace(" ", "") for code, answer in enumerate(answers))
told = [f"{answer.status} {answer.body[:40]!r}" if answer else "no answer" for answer in answers]
judge(is_kept, "code 0, then code 1", "; ".join(told))
