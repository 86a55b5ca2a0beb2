"""EIO-HTTP-09: a POST in chunks."""
from raw import Connection, Polling, judge, read_head, tell, head
import time

client = Polling()
client.connect()
connection = Connection()
body = '42["message","in chunks"]'
tell(">", f"POST (Transfer-Encoding: chunked) {body}")
headers = {"Content-Type": "text/plain;charset=UTF-8", "Transfer-Encoding": "chunked"}
connection.send(head("POST", f"/socket.io/?{client.query}", headers))
connection.send(f"{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode())
try:
    status, _ = read_head(connection, time.monotonic() + 3)
except (TimeoutError, EOFError):
    status = None
tell("<", str(status))
came = client.poll_for("in chunks", within=2)
judge(status == 200 and came, "the event is handled", f"the answer is {status}, the event is {'handled' if came else 'not handled'}")
