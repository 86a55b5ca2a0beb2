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
client.post('42["message","still there"]')
alive = client.poll_for("still there", within=2) is not None
judge(
    upgrade.closed and alive,
    "the WebSocket is closed, and polling goes on",
    f"the WebSocket is {'closed' if upgrade.closed else 'still open after 12 s'}, and polling {'goes on' if alive else 'is over'}",
)
