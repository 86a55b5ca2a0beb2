"""EIO-WS-13: a second WebSocket for a session that is on one."""
import json

from raw import WebSocket, judge

first = WebSocket()
sid = json.loads(first.receive()[1:])["sid"]
second = WebSocket(f"EIO=4&transport=websocket&sid={sid}")
is_refused = second.closed or second.ends(within=0.5)
if not is_refused:
    second.send("2probe")
    second.until("3probe")
    second.send("5")
taken = not is_refused and first.ends(within=2)
judge(is_refused, "the second is refused", "the second is accepted" + (", and takes the session over" if taken else ""))
