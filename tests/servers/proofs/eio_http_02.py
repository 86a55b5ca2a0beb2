"""EIO-HTTP-02: the answer to a POST."""
from raw import Polling, judge

client = Polling()
answer = client.post("40")
judge(answer.status == 200 and answer.body == "ok", "status 200 and ok", f"status {answer.status} and {answer.body!r}")
