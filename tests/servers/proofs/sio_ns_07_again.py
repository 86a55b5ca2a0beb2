"""SIO-NS-07: a second CONNECT to the same namespace, which the server may refuse, with an object then."""
from raw import connected, judge

client = connected()
client.send("40")
answer = client.until("44") or ""
judge(not answer or answer.startswith("44{"), "no CONNECT_ERROR, or one with an object", f"the answer is {answer!r}")
