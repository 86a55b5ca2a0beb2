"""EIO-HB-07: a client that answers no ping and sends events all the time."""
import time

from raw import WebSocket, judge

client = WebSocket()
client.receive()
client.send("40")
end = time.monotonic() + 6
while time.monotonic() < end and not client.closed:
    time.sleep(0.4)
    client.send('42["message","busy"]')
    while (message := client.receive(within=0.3, pings=False)) and "message-back" not in message:
        pass
judge(client.closed, "the server closes the connection", "the server keeps the connection for 6 s")
