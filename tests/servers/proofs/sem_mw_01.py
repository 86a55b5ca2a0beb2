"""SEM-MW-01: a middleware that refuses with a message and data."""
from raw import connected, judge

client = connected()
client.send("40/guard,")
answer = client.until("44/guard,") or ""
judge('"nope"' in answer and '"code":7' in answer.replace(" ", ""), "message and data arrive", f"the answer is {answer!r}")
