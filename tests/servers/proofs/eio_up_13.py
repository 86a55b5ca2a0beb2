"""EIO-UP-13: an upgrade packet without a probe."""
from raw import Polling, WebSocket, judge

client = Polling()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("5")
upgrade.send("40")
judge(upgrade.until('40{"sid"'), "the session is on the WebSocket", "the upgrade is not taken")
