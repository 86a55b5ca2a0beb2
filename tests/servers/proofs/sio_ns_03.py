"""SIO-NS-03: CONNECT packets with a payload, which the application is asked for."""
import json

from raw import WebSocket, judge

wrong = []
for payload in ['{"token":"123"}', '{"token":"123","roles":["reader",7]}']:
    client = WebSocket()
    client.receive()
    client.send("40" + payload)
    if client.until("40{") is None:
        wrong.append(f"{payload} (the CONNECT is not answered)")
    else:
        client.send('421["t:who"]')
        auth = json.loads((client.until("431[") or "431[{}]")[3:])[0].get("auth")
        if auth != json.loads(payload):
            wrong.append(f"{payload} (it gets {json.dumps(auth)})")
    client.drop()
judge(not wrong, "the application gets it", "the application does not get " + ", ".join(wrong))
