"""SEM-VO-02: a volatile event for a client that has no poll open."""
from raw import Polling, connected, judge

client = Polling()
client.connect()
client.post('420["t:join",["proof"]]')
client.poll_for("430")
other = connected()
for flags, event in [('["volatile"]', "position"), ("[]", "news")]:
    other.send(f'420["t:cast",{{"from":"io","to":["proof"],"except":[],"flags":{flags}}},"{event}",[]]')
    other.until("430")
seen = client.poll_for("news") or []
judge(not any("position" in packet for packet in seen), "it is dropped", "it is kept and delivered at the next poll")
