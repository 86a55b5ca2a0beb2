"""EIO-WS-01: the answer to a WebSocket that names no version of the protocol, or an unknown one."""
import time

from raw import WebSocket, judge, tell

strange = []
for query in ["transport=websocket", "EIO=abc&transport=websocket"]:
    client = WebSocket(query)
    try:
        while client.status == 101 and client.connection.fill(time.monotonic() + 1):
            pass
    except TimeoutError:
        pass
    if client.connection.buffer.startswith(b"HTTP/"):
        strange.append(client.connection.buffer.split(b"\r\n")[0].decode())
        tell("<", strange[-1])
    client.drop()
judge(not strange, "no HTTP follows a 101", "an HTTP response follows the 101")
