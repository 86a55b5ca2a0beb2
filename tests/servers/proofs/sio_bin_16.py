"""SIO-BIN-16: an attachment of 500,000 bytes over long-polling."""
import base64

from raw import Polling, SEPARATOR, judge

client = Polling()
client.connect()
sent = base64.b64encode(bytes(500_000)).decode()
client.post(f'451-["message",{{"_placeholder":true,"num":0}}]{SEPARATOR}b{sent}', within=10)
seen = client.poll_for("b", within=10) or []
while not any(packet.startswith("b") for packet in seen) and (more := client.poll_for("b", within=3)):
    seen += more
back = next((packet for packet in seen if packet.startswith("b")), "b")
length = len(base64.b64decode(back[1:] + "==")) if len(back) > 1 else 0
judge(length == 500_000, "all of it is handled", f"{length} of 500000 bytes come back")
