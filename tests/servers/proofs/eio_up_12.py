"""EIO-UP-12: an upgrade that begins with something else than the probe."""
from raw import Polling, WebSocket, judge

strange = []
for packet in ["2", "2probeX", '42["message",1]']:
    client = Polling()
    client.connect()
    upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
    upgrade.send(packet)
    if not upgrade.ends(within=0.8):
        strange.append(f"after {packet} the WebSocket stays open")
    client.post('42["message","still there"]')
    if not client.poll_for("still there", within=2):
        strange.append(f"after {packet} the session is over")
    upgrade.drop()
    print()
judge(not strange, "the WebSocket is closed, the session goes on", "; ".join(strange))
