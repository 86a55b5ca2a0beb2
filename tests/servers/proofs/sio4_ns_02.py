"""SIO4-NS-02: what answers a CONNECT to a namespace, for a client of Socket.IO 2."""
import raw
from raw import WebSocket, judge

raw.ENGINE = 3
client = WebSocket()
client.until("40")
client.send("40/custom,")
answer = client.until("40/custom") or ""
judge(answer == "40/custom,", "it is CONNECT and the name alone", f"it is {answer!r}")
