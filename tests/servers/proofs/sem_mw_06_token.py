"""SEM-MW-03, SEM-MW-06: an event to a namespace whose guard refused the client for a wrong token."""
from raw import connected, judge

client = connected()
client.send('40/guard,{"token":"wrong"}')
refusal = client.until("/guard,")
client.send('42/guard,["message","hello"]')
judge(client.ends(), "the server closes the connection", f"the server keeps the connection open (the refusal was {refusal})")
