"""EIO-LP-14: a POST declared as application/octet-stream."""
from raw import Polling, judge

client = Polling()
answer = client.post("40", headers={"Content-Type": "application/octet-stream"})
judge(answer is not None and answer.status == 400, "status 400", f"status {answer.status}" if answer else "no answer")
