"""EIO-LP-06: an event with an attachment of no bytes in one POST. A fixture that cannot repeat bytes may tell their base64."""
from raw import Polling, judge

client = Polling()
client.connect()
client.post('451-["message",{"_placeholder":true,"num":0}]\x1eb')
packets = client.poll_for("message-back", within=3) or []
answer = next((packet for packet in packets if "message-back" in packet), None)
judge("b" in packets or answer == '42["message-back",""]', "the application gets no bytes", f"the application gets something else: {answer}")
