"""SEM-NS-03: the id of a socket as a room of another namespace."""
from raw import WebSocket, connected, judge, sid_of

client = WebSocket()
client.receive()
client.send("40")
client.until('"auth"')
client.send("40/custom,")
client.until('"auth"')
client.send("40/dyn-1,")
sid = sid_of(client.until("40/dyn-1,"))
sender = connected("/custom")
sender.send(f'42/custom,0["t:cast",{{"to":["{sid}"]}},"wrong house",[]]')
judge(not client.until("wrong house", within=1.5), "it reaches nobody there", "the event reaches the socket")
