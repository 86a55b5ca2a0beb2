"""EIO-UP-09: a poll for a session that has moved to a WebSocket."""
from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
upgraded = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgraded.send("2probe")
upgraded.until("3probe")
client.poll(within=2)
upgraded.send("5")
upgraded.is_answered()
answer = client.poll(within=3)
judge(answer and answer.status == 400, "it is refused with 400", f"it gets {f'{answer.status}' if answer else 'no answer'}")
