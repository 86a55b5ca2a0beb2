"""SEM-DR-01 to SEM-DR-05: the reasons that the application is told when a socket ends."""
import json

from raw import Polling, connected, judge

EXPECTED = {
    "client namespace disconnect": lambda: connected().send("41"),
    "transport close": lambda: connected().drop(),
    "server namespace disconnect": lambda: connected().send('42["t:bye",false]'),
    "parse error": lambda: connected().send("nonsense"),
    "forced close": lambda: connected().send("4nonsense"),
}


def abandon():
    client = Polling()
    client.connect()
    client.begin_poll().connection.close()


EXPECTED["transport error"] = abandon
watcher = connected()
watcher.send('420["t:join","watch"]')
watcher.until("430")
others = {}
for expected, act in EXPECTED.items():
    act()
    told = watcher.until('"gone"', within=4)
    reason = json.loads(told[2:])[3] if told else None
    if reason != expected:
        others[expected] = reason
    print()
judge(not others, "they are those of the documentation", "; ".join(f"{told!r} for {meant!r}" for meant, told in others.items()))
