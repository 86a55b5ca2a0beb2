"""EIO-WS-01: a broadcast with an attachment, to a client on a WebSocket and one on long-polling."""
from raw import Polling, connected, judge

listener = connected()
listener.send('420["t:join",["proof"]]')
listener.until("430")
poller = Polling()
poller.connect()
poller.post('420["t:join",["proof"]]')
poller.poll_for("430")
poller.post('451-1["t:cast",{"from":"io","to":["proof"]},"picture",[{"_placeholder":true,"num":0}]]\x1ebAQI=')
listener.until("picture")
attachment = listener.receive()
judge(isinstance(attachment, bytes), "the attachment is a binary message", f"the attachment is the text {attachment!r}, as over long-polling")
