"""SIO-EV-05: an event that no handler listens for, with an id."""
from raw import connected, judge

client = connected()
client.send('427["sockrates:unheard","hello"]')
client.send('42["message","still here"]')
acknowledged = client.until("437", within=1)
judge(not acknowledged, "there is no acknowledgement", f"the server acknowledges it by itself: {acknowledged}")
