"""EIO-ERR-05: another version of the protocol."""
from raw import judge, request

strange = []
for query in ["EIO=3&transport=polling", "EIO=5&transport=polling", "EIO=4abc&transport=polling", "EIO=4&EIO=3&transport=polling"]:
    answer = request("GET", query)
    if answer.status != 400 or '"code":5' not in answer.body.replace(" ", ""):
        strange.append(f"{query} gets {answer.status} {answer.body[:40]!r}")
judge(not strange, "status 400 with code 5", "; ".join(strange))
