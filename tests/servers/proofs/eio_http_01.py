"""EIO-HTTP-01: the type of what a poll brings."""
from raw import judge, request

answer = request("GET", "EIO=4&transport=polling")
kind = answer.headers.get("content-type", "")
judge(kind.lower().startswith("text/plain") and "utf-8" in kind.lower(), f"it is {kind}", f"it is {kind}")
