"""SEM-RM-07: a socket that has left the room with its own id."""
from raw import WebSocket, judge, sid_of

client = WebSocket()
client.receive()
client.send("40")
sid = sid_of(client.until("40{"))
client.until('"auth"')
client.send(f'420["t:leave","{sid}"]')
client.until("430")
client.send('42["message","to myself"]')
judge(client.until("to myself"), "events to itself still arrive", "events to itself do not arrive any more")
