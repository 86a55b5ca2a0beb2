"""EIO-HTTP-13: two requests on one connection."""
import time

from raw import Connection, head, judge, read_answer, tell

connection = Connection()
is_announced = False
try:
    for _ in range(2):
        tell(">", "GET /socket.io/?EIO=4&transport=polling")
        connection.send(head("GET", "/socket.io/?EIO=4&transport=polling", {}))
        answer = read_answer(connection, time.monotonic() + 3)
        tell("<", f"{answer.status} (Connection: {answer.headers.get('connection')})")
        is_announced = answer.headers.get("connection", "").lower() == "close"
        if is_announced:
            break
except (EOFError, ConnectionError):
    tell("<", "(the connection ends)")
    judge(False, "", "the connection ends without being announced")
judge(True, "the server announces that it closes the connection" if is_announced else "both are answered", "")
