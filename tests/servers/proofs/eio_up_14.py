"""EIO-UP-14: a WebSocket that is lost during an upgrade."""
import time

from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
upgrade.drop()
time.sleep(0.2)
client.post('42["message","still there"]')
judge(client.poll_for("still there", within=2), "the session goes on over long-polling", "the session is over")
