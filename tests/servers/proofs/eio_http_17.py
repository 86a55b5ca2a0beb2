"""EIO-HTTP-17: JSONP."""
import json
import re
from urllib.parse import quote

from raw import broken, cannot_say, kept, request

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BREAK, QUOTE = "line\nbreak", 'quote " and backslash \\'


def called(answer):
    """The payload with which a page would be called; ends the proof where the answer is no such call."""
    if answer is None or answer.status != 200:
        broken("the poll gets no answer" if answer is None else f"the poll gets status {answer.status}")
    call = re.fullmatch(r"___eio\[7\]\((.*)\);?", answer.body, re.DOTALL)
    if not call:
        broken("the answer calls no function ___eio[7]: the parameter j is not looked at")
    try:
        # What is a string of JSON is one of JavaScript, and that may hold other control characters than the ends of lines.
        if "\n" in call[1] or "\r" in call[1]:
            raise ValueError
        return json.loads(call[1], strict=False)
    except ValueError:
        broken("the answer is not valid JavaScript: what stands in the quotes is not escaped")


def play(engine, texts):
    """Sends texts in the way of the official client of Socket.IO 2, and looks whether they come back."""
    query = f"EIO={engine}&transport=polling&j=7" + ("&b64=1" if engine == 3 else "")
    handshake = re.search(r'"sid":"([^"]+)"', called(request("GET", query)))
    query += f"&sid={handshake[1]}"

    def post(packet):
        payload = packet if engine == 4 else f"{len(packet)}:{packet}"
        escaped = payload.replace("\\n", "\\\n").replace("\n", "\\n")
        answer = request("POST", query, "d=" + quote(escaped, safe=""), FORM)
        if answer is None or answer.status != 200:
            broken("a form with the field d is refused")

    if engine == 4:
        post("40")
    for text in texts:
        post("42" + json.dumps(["message", text], separators=(",", ":")))
        for _ in range(8):
            payload = called(request("GET", query))
            if "message-back" in payload:
                break
            if engine == 4 and re.search(r"(^|\x1e)2", payload):
                post("3")
        else:
            cannot_say("the fixture does not send the message back")
        if json.dumps(["message-back", text], separators=(",", ":")) not in payload:
            broken(f"{text!r} comes back as something else")
    kept("every text comes back by a call of ___eio[7]")


if __name__ == "__main__":
    play(4, ["plain", BREAK, QUOTE])
