"""SEM-NS-05: the end of a connection with two namespaces by the server."""
from raw import connected, judge

client = connected("/custom")
client.send('42/custom,["t:bye",true]')
came = []
while (message := client.receive(within=3)) is not None:
    came.append(message)
told = [message for message in came if message.startswith("41")]
judge(client.closed and len(told) == 2, "each namespace gets a DISCONNECT, then the connection ends", f"{len(told)} of two namespaces get a DISCONNECT; the connection {'ends' if client.closed else 'stays open'}")
