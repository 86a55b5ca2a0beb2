"""EIO-LP-04: an event with an attachment in one POST. A fixture that cannot repeat bytes may tell their base64."""
from raw import Polling, judge

client = Polling()
client.connect()
client.post('451-["message",{"_placeholder":true,"num":0}]\x1ebAQIDBA==')
packets = client.poll_for("message-back", within=3) or []
answer = next((packet for packet in packets if "message-back" in packet), None)
judge("bAQIDBA==" in packets or (answer and "AQIDBA==" in answer), "the application gets the bytes", f"the application gets something else: {answer}")
