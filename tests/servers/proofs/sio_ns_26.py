"""SIO-NS-26: the end of a poll after a breach of the protocol."""
from raw import Polling, judge

client = Polling()
poll = client.begin_poll()
client.post('42["message"]')
end = poll.answer(within=3)
after = client.poll(within=2)
is_told = end is not None and end.body == "1"
is_gone = after is not None and after.status == 400
judge(is_told and is_gone, "the poll gets a close packet and the session is unknown", f"close packet: {is_told}, session unknown afterwards: {is_gone}")
