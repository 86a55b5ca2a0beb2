"""SEM-MW-06: an event to a namespace whose middleware refused the client."""
from raw import connected, judge

client = connected()
client.send("40/guard,")
client.until("44/guard,")
client.send('42/guard,["message","hello"]')
judge(client.ends(), "the server closes the connection", "the server keeps the connection open")
