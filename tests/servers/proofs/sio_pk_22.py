"""SIO-PK-22: a question mark in a namespace."""
from raw import connected, judge

client = connected()
client.send("40/custom?t=1,")
answer = client.receive() or ""
judge(answer.startswith("44/custom?t=1,"), "the name is taken as it is, and nobody serves it", f"the answer is {answer[:12]}")
