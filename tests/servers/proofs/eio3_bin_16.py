"""SIO-BIN-16: an attachment of 500,000 bytes over long-polling, for a client of Engine.IO 3 that can take bytes."""
import base64
import json
import re

import raw
from raw import WebSocket, judge, request

raw.ENGINE = 3
QUERY = "EIO=3&transport=polling"
SIZE = 500_000


def packet(kind, payload):
    """In a payload of bytes: 0 for text and 1 for bytes, the digits of the length, 255, and the packet."""
    return bytes([kind, *map(int, str(len(payload))), 255]) + payload


opening = request("GET", f"{QUERY}&b64=1")
sid = json.loads(re.search(r"\{.*?\}", opening.body)[0])["sid"]
body = packet(0, b'451-["message",{"_placeholder":true,"num":0}]') + packet(1, b"\x04" + bytes(range(250)) * (SIZE // 250))
print(f"> POST {QUERY}&sid=… (451-[\"message\",…] and {SIZE} bytes)")
request("POST", f"{QUERY}&sid={sid}", body, {"Content-Type": "application/octet-stream"}, within=10, quiet=True)
length = 0
for _ in range(8):
    answer = request("GET", f"{QUERY}&b64=1&sid={sid}", within=3, quiet=True)
    if answer is None or answer.status != 200:
        break
    if found := re.search(r"b4([A-Za-z0-9+/=]+)", answer.body):
        length = len(base64.b64decode(found[1]))
        print(f"< 451-[\"message-back\",…] and {length} bytes")
        break
judge(length == SIZE, "all of it is handled", f"{length} of {SIZE} bytes come back")
