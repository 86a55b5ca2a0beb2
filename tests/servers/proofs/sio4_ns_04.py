"""SIO4-NS-04: the refusal of a namespace, for a client of Socket.IO 2."""
import raw
from raw import WebSocket, judge

raw.ENGINE = 3
client = WebSocket("EIO=3&transport=websocket")
client.until("40")
client.send("40/nobody-serves-this,")
answer = client.until("44/nobody-serves-this,") or ""
judge(answer.startswith('44/nobody-serves-this,"'), "it brings a text", f"it brings {answer[23:] or 'nothing'}")
