"""EIO-HS-20: what comes after the handshake without being asked for."""
import time

from raw import WebSocket, judge

client = WebSocket()
client.receive()
time.sleep(0.03)
client.send("40/nowhere,")
answer = client.receive(pings=False) or ""
judge(answer[:2] in ("40", "44"), "nothing but the answer to the CONNECT", f"the next packet is {answer!r}")
