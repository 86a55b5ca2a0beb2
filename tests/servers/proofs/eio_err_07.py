"""EIO-ERR-07: a WebSocket for an unknown session, or an unknown transport."""
from raw import WebSocket, judge

first = WebSocket("EIO=4&transport=websocket&sid=nope")
second = WebSocket("EIO=4&transport=abc")
judge(
    first.status == second.status == 400,
    "status 400, twice",
    f"the unknown session gets {first.status or 'no answer'}, the unknown transport {second.status or 'no answer'}",
)
