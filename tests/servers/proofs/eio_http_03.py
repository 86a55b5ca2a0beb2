"""EIO-HTTP-03: Cache-Control of a poll."""
from raw import judge, request, tell

answer = request("GET", "EIO=4&transport=polling")
control = answer.headers.get("cache-control")
tell("<", f"Cache-Control: {control}")
judge("no-store" in (control or ""), "no-store", "no header Cache-Control" if control is None else f"Cache-Control: {control}")
