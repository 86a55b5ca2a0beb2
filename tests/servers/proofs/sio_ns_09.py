"""SIO-NS-09, SIO-NS-10: the ids of a client."""
import json

from raw import WebSocket, judge, sid_of

client = WebSocket()
engine = json.loads(client.receive()[1:])["sid"]
client.send("40")
main = sid_of(client.until("40{"))
client.send("40/custom,")
custom = sid_of(client.until("40/custom,"))
judge(
    len({engine, main, custom}) == 3,
    "connection and namespaces have ids of their own",
    "connection, main namespace and another one have one and the same id" if engine == main == custom else "two of the three ids are the same",
)
