"""EIO-CL-03: the server ends a session between two polls."""
import time

from raw import Polling, judge

client = Polling()
client.connect()
client.post('42["t:bye",true]')
time.sleep(0.3)
seen = []
for _ in range(2):
    answer = client.poll(within=2)
    seen += answer.packets if answer and answer.status == 200 else []
judge("1" in seen, "the next poll fetches the close packet", "the next poll gets no close packet")
