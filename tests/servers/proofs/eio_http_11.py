"""EIO-HTTP-11: a long poll, for a client that takes gzip."""
from raw import Polling, Request, judge, tell

client = Polling()
client.post(f"40/{'x' * 3000},")
answer = Request("GET", client.query, headers={"Accept-Encoding": "gzip"}).answer()
encoding = answer.headers.get("content-encoding")
tell("<", f"Content-Encoding: {encoding}")
judge(encoding == "gzip", "the body is compressed", "the body is not compressed")
