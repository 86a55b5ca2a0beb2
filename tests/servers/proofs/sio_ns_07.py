"""SIO-NS-07: a CONNECT to a namespace that nobody serves."""
from raw import connected, judge

client = connected()
client.send("40/nobody-serves-this,")
answer = client.until("/nobody-serves-this,") or ""
judge(answer.startswith("44/nobody-serves-this,{"), "a CONNECT_ERROR with an object", f"the answer is {answer!r}" if answer else "no answer")
