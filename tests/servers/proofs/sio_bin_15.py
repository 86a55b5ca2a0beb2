"""SIO-BIN-15: attachments without a byte."""
from raw import connected, judge

client = connected()
client.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
client.send(b"")
client.send(b"\x01")
header = client.until("message-back") or ""
came = [client.receive(within=1), client.receive(within=1)]
judge(header.startswith("452-") and sorted(came, key=str) == [b"", b"\x01"], "both come back", f"what comes back is {header[:4]!r} and {came}")
