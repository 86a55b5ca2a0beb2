"""EIO3-PL-02: a POST with 20 packets, for a client of Engine.IO 3."""
import json
import re

from raw import judge, request

QUERY = "EIO=3&transport=polling&b64=1"
opening = request("GET", QUERY)
sid = json.loads(re.search(r"\{.*?\}", opening.body)[0])["sid"]
packets = [f'42["message",{number}]' for number in range(20)]
request("POST", f"{QUERY}&sid={sid}", "".join(f"{len(packet)}:{packet}" for packet in packets))
request("POST", f"{QUERY}&sid={sid}", "1:2")
seen = ""
while "1:3" not in seen and (answer := request("GET", f"{QUERY}&sid={sid}", within=2)) and answer.status == 200:
    seen += answer.body
handled = seen.count('"message-back"')
judge(handled == 20, "all 20 are handled", f"{handled} of 20 are handled before the ping that follows is answered")
