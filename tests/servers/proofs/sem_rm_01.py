"""SEM-RM-01: the room of a socket's own id."""
from raw import WebSocket, judge, sid_of

client = WebSocket()
client.receive()
client.send("40")
sid = sid_of(client.until('40{'))
client.send('420["t:join",[]]')
answer = client.until("430") or ""
judge(sid in answer, "the socket is in it", f"the socket is in the rooms {answer[3:]}")
