"""EIO-UP-18: a GET for the WebSocket of a session that asks for no upgrade."""
from raw import Polling, judge, request

client = Polling()
client.connect()
client.post('42["message",1]')
answer = request("GET", f"EIO=4&transport=websocket&sid={client.sid}", within=2)
judge(answer is not None and answer.status >= 400, "the request is refused", f"status {answer.status}, {answer.body!r}" if answer else "no answer")
