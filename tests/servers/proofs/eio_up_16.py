"""EIO-UP-16: an upgrade that is not completed in time (upgradeTimeout is 10 s unless the fixture says less)."""
import time

from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
end = time.monotonic() + 12
while not upgrade.closed and time.monotonic() < end:
    upgrade.receive(within=1, pings=False)
    poll = client.poll(within=1)
    if poll and "2" in poll.packets:
        client.post("3")
judge(upgrade.closed, "the WebSocket is closed", "the WebSocket is still open after 12 s")
