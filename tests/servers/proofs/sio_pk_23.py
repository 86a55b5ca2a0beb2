"""SIO-PK-23: keys of objects in any characters."""
import json

from raw import connected, judge

lost = []
for name, key in {"an emoji": "\U0001F600", "escapes": '" \\ \n', "U+2028": "\u2028", "U+0000": "\0", "U+FEFF": "\ufeff"}.items():
    client = connected()
    client.send("42" + json.dumps(["message", {key: 1}], ensure_ascii=False))
    came = client.until("message-back")
    if not came or json.loads(came[2:])[1:2] != [{key: 1}]:
        lost.append(name)
    client.drop()
    print()
judge(not lost, "they come back as they were", f"an event with {', '.join(lost)} in a key is not answered")
