"""SIO-BIN-15: an attachment without a byte, for a client of Engine.IO 3, which puts the type of the packet before the bytes."""
import raw
from raw import WebSocket, judge

raw.ENGINE = 3
client = WebSocket()
client.until('"auth"')
client.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
client.send(b"\x04")
client.send(b"\x04\x01")
header = client.until("message-back") or ""
came = [client.receive(within=1), client.receive(within=1)]
judge(header.startswith("452-") and sorted(came, key=str) == [b"\x04", b"\x04\x01"], "both come back", f"what comes back is {header[:4]!r} and {came}")
