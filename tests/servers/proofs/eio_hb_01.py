"""EIO-HB-01: pings over long-polling while an upgrade is under way that nobody completes."""
import time

from raw import Polling, WebSocket, judge

client = Polling()
client.connect()
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
limit = (client.handshake["pingInterval"] + client.handshake["pingTimeout"]) / 1000 + 2
end, pings, answers = time.monotonic() + limit, 0, 0
while time.monotonic() < end:
    answer = client.poll(within=round(max(0.1, end - time.monotonic()), 1))
    if answer is None or answer.status != 200:
        break
    answers += 1
    if "2" in answer.packets:
        pings += 1
        client.post("3")
    if answers > 30:
        break
    time.sleep(0.1)
judge(pings, "pings come", f"no ping comes in pingInterval + pingTimeout + 2 s ({answers} polls were answered otherwise)")
