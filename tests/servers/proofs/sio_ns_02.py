"""SIO-NS-02: what a client hears that has joined no namespace."""
from raw import WebSocket, judge

client = WebSocket()
client.receive()
heard = client.receive(within=1)
judge(heard is None, "nothing", f"an event of the main namespace: {heard}")
