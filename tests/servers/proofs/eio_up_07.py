"""EIO-UP-07: what is sent around an upgrade."""
from raw import Polling, SEPARATOR, WebSocket, judge

client = Polling()
client.connect()
client.post('42["message",0]')
upgrade = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
upgrade.send("2probe")
upgrade.until("3probe")
client.post(f'42["message",1]{SEPARATOR}42["message",2]')
upgrade.send("5")
upgrade.send('42["message",3]')
came = []
while len(came) < 4 and (message := upgrade.until("message-back")):
    came.append(message)
numbers = [int(message.split(",")[1].strip("] ")) for message in came]
judge(numbers == [0, 1, 2, 3], "all four answers come over the WebSocket, in order", f"the answers are {numbers}")
