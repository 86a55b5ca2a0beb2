"""EIO-ERR-06: several mistakes in one request."""
from raw import judge, request

first = request("GET", "EIO=3&transport=abc&sid=nope")
second = request("GET", "EIO=3&transport=polling&sid=nope")
is_kept = '"code":0' in first.body.replace(" ", "") and '"code":1' in second.body.replace(" ", "")
judge(is_kept, "code 0, then code 1", f"{first.status} {first.body[:40]!r}; {second.status} {second.body[:40]!r}")
