"""SIO-BIN-04: placeholders in another order than their attachments."""
from raw import connected, judge

client = connected()
client.send('452-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]')
client.send(b"\x00")
client.send(b"\x01")
header = client.until("message-back") or ""
first, second = client.receive(), client.receive()
order = [first, second] if header.index('"num":0') < header.index('"num":1') else [second, first]
judge(order == [b"\x01", b"\x00"], "each placeholder stands for the attachment of its number", "the placeholders get the attachments in the order of their arrival")
