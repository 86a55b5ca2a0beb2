"""EIO3-HB-02: a ping with content."""
import raw
from raw import WebSocket, judge

raw.ENGINE = 3
client = WebSocket("EIO=3&transport=websocket")
client.receive()
client.send("2hello")
judge(client.until("3", within=2) == "3hello", "the pong brings the same", "the pong comes without it")
