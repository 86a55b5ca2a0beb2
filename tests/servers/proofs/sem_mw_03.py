"""SEM-MW-03: a client without credentials in a namespace whose guard asks for some."""
from raw import connected, judge

client = connected()
client.send("40/guard,")
client.until("/guard,")
client.send('42/guard,["message","hello"]')
came = client.until("message-back")
judge(not came, "it is not inside", "it is inside: its event is answered")
