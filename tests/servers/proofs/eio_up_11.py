"""EIO-UP-11: a second WebSocket while a session upgrades."""
from raw import Polling, WebSocket, judge

client = Polling()
first = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
first.send("2probe")
first.until("3probe")
second = WebSocket(f"EIO=4&transport=websocket&sid={client.sid}")
if not second.closed:
    second.ends(within=0.7)
is_refused = second.closed
first.send("5")
first.send("40")
goes_on = first.until('40{"sid"') is not None
judge(
    is_refused and goes_on,
    "the second is refused, the first completes the upgrade",
    f"the second is {'refused' if is_refused else 'accepted'}, the first {'completes the upgrade' if goes_on else 'does not complete the upgrade'}",
)
