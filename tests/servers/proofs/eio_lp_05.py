"""EIO-LP-05: an event with one byte of attachment, which the application sends over long-polling."""
from raw import Polling, judge

client = Polling()
client.connect()
client.post('420["t:burst",2,1,true]')
packets = client.poll_for("430") or []
judge("bAQ==" in packets, "it comes as bAQ==", f"no packet bAQ== comes, but {packets!r}")
