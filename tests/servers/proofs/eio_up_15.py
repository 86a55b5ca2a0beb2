"""EIO-UP-15: an upgrade after one that failed."""
import time

from raw import Polling, WebSocket, judge

client = Polling()
first = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
first.send("2probe")
first.until("3probe")
first.drop()
time.sleep(0.2)
second = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
if not second.closed:
    second.send("2probe")
judge(second.until("3probe"), "the second upgrade is answered", "the second upgrade is refused")
