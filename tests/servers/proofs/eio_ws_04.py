"""EIO-WS-04: a ping frame of WebSocket."""
import time

from raw import connected, judge, tell

client = connected()
tell(">", "(ping frame, hello)")
client.frame(9, b"hello")
deadline, opcode = time.monotonic() + 2, None
try:
    while opcode != 10:
        first, second = client.connection.take(2, deadline)
        opcode = first & 15
        size = second & 127
        payload = client.connection.take(size if size < 126 else int.from_bytes(client.connection.take(2, deadline), "big"), deadline)
    tell("<", f"(pong frame, {payload.decode()})")
except (TimeoutError, EOFError):
    tell("<", "(no pong frame)")
judge(opcode == 10, "a pong frame answers it", "no pong frame answers it")
