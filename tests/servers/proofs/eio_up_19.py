"""EIO-UP-19: a session that ends during its upgrade."""
from raw import Polling, WebSocket, judge

client = Polling()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
client.post("1")
judge(upgrade.ends(within=0.8), "the WebSocket ends", "the WebSocket is still open 0.8 s later")
