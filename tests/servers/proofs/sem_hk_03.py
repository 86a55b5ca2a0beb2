"""SEM-HK-03: a client that joins two namespaces with two payloads, and asks in each which one came with it."""
import json

from raw import WebSocket, judge

client = WebSocket()
client.receive()
for namespace, token in [("", "main"), ("/custom,", "custom")]:
    client.send(f'40{namespace}{{"token":"{token}"}}')
    client.until(f"40{namespace}{{")
client.send('421["t:who"]')
answer = client.until("431[") or "431[{}]"
auth = json.loads(answer[3:])[0].get("auth")
judge(auth == {"token": "main"}, "it is told what came with it", f"the main namespace is told that {json.dumps(auth)} came with it")
