"""EIO-WS-06: a text message that is not UTF-8."""
from raw import connected, judge, tell

client = connected()
tell(">", '42["message","\\xff"] (as text)')
client.frame(1, b'42["message","\xff"]')
judge(client.ends(), "the server closes the connection", "the server keeps the connection open")
