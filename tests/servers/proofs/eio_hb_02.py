"""EIO-HB-02: the first ping."""
import json
import time

from raw import WebSocket, judge

client = WebSocket()
interval = json.loads(client.receive()[1:])["pingInterval"] / 1000
client.send("40")
start = time.monotonic()
while (message := client.receive(within=interval + 3, pings=False)) is not None and message != "2":
    pass
waited = time.monotonic() - start
judge(message == "2" and waited > 0.8 * interval, "it comes after pingInterval", f"it comes after {waited / interval:.0%} of pingInterval" if message else "it does not come")
