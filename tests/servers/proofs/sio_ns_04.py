"""SIO-NS-04: a CONNECT with a payload that is no object. Soon, for a client without a CONNECT is put out later, too."""
from raw import WebSocket, judge

still_open = []
for payload in ["[]", '"x"', "null", "{bad"]:
    client = WebSocket()
    client.receive()
    client.send(f"40{payload}")
    if not client.ends(within=0.7):
        still_open.append(payload)
    client.drop()
    print()
judge(not still_open, "the server closes the connection", f"the server keeps the connection open after 40 with {', '.join(still_open)}")
