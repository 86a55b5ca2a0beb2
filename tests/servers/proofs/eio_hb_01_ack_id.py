"""EIO-HB-01: pings over long-polling after an event whose id needs more than 31 bits."""
from raw import Polling, judge

client = Polling()
client.connect()
client.post('422147483648["message-with-ack","hello"]')
limit = (client.handshake["pingInterval"] + client.handshake["pingTimeout"]) / 1000 + 2
pings = client.poll_for("2", within=limit)
while pings and "2" not in pings:
    pings = client.poll_for("2", within=limit)
judge(pings, "pings come", f"no ping comes in pingInterval + pingTimeout + 2 s, and the poll is not answered")
