"""SIO-NS-11: something else than a CONNECT as the first packet. Soon, for a client without a CONNECT is put out later, too."""
from raw import WebSocket, judge

still_open = []
for first in ['42["message","hello"]', "41", "430[]"]:
    client = WebSocket()
    client.receive()
    client.send(first)
    if not client.ends(within=0.7):
        still_open.append(first)
    client.drop()
    print()
judge(not still_open, "the server closes the connection", f"the server keeps the connection open after {', '.join(still_open)}")
