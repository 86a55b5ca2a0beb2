"""SIO-NS-19: the id of a client that left a namespace and came back."""
from raw import connected, judge, sid_of

client = connected()
client.send("40/custom,")
first = sid_of(client.until("40/custom,"))
client.send("41/custom,")
client.send('42["message","in between"]')
client.until("in between")
client.send("40/custom,")
again = client.until("40/custom,", within=3)
judge(again and sid_of(again) != first, "the id is another one", "the id is the same" if again else "the CONNECT is not answered")
