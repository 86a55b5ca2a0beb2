"""SIO-PK-24: an event with null in an object, which the fixture repeats."""
import json

from raw import connected, judge

client = connected()
client.send('42["message",{"a":null,"b":1}]')
answer = json.loads((client.until("message-back") or "42[]")[2:])
judge(answer == ["message-back", {"a": None, "b": 1}], "it comes back", f"what comes back is {json.dumps(answer)}")
