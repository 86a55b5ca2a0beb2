"""EIO-UP-10: a second WebSocket for a session that has upgraded."""
from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
first = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
first.send("2probe")
first.until("3probe")
first.send("5")
first.is_answered()
second = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
refused = second.closed or second.ends(within=3)
judge(refused, "it is refused or closed", "it stays open")
