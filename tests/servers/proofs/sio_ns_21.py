"""SIO-NS-21: an event to a namespace that has put the client out."""
from raw import connected, judge

client = connected("/custom")
client.send('42/custom,["t:bye",false]')
client.until("41/custom")
client.send('42/custom,["message","late"]')
judge(client.ends(), "the server closes the connection", "the server keeps the connection open")
