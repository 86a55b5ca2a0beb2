"""SIO-PK-11: an event with the name "error"."""
from raw import URL, connected, judge

import socket
import time

client = connected()
client.send('42["error","hello"]')
alive = client.is_answered()
time.sleep(0.3)
try:
    socket.create_connection((URL.hostname, URL.port), timeout=2).close()
    served = True
except OSError:
    served = False
judge(alive and served, "it is an event like any other", "the connection ends" if served else "the server ends: nothing listens any more")
