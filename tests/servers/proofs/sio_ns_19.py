"""SIO-NS-19: DISCONNECT and CONNECT of a namespace that arrive together."""
from raw import connected, judge

client = connected("/custom")
client.send_at_once("41/custom,", "40/custom,")
came = client.until("40/custom,", within=3)
judge(came, "the client is in the namespace again", "the connection ends" if client.closed else "the CONNECT is not answered")
