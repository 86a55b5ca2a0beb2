"""SIO-PK-24: a large number, with the parser msgpack."""
import struct

from raw import WebSocket, broken, cannot_say, judge

NUMBER = 1e21


def text(value):
    data = value.encode()
    return bytes([0xA0 | len(data)]) + data if len(data) < 32 else bytes([0xD9, len(data)]) + data


def packet(kind, *more):
    """A packet of `/`: a map of type, nsp and, where there are some, data."""
    fields = [text("type") + bytes([kind]), text("nsp") + text("/"), *(text("data") + data for data in more)]
    return bytes([0x80 | len(fields)]) + b"".join(fields)


def number_behind(event, message):
    """The first argument of an event: a 64-bit float, or a whole number of 64 bits. None for another packet."""
    begin = message.find(text(event))
    value = message[begin + len(text(event)) :]
    forms = {0xCB: ">d", 0xCF: ">Q", 0xD3: ">q"}
    return struct.unpack(forms[value[0]], value[1:9])[0] if begin >= 0 and value[0] in forms else None


client = WebSocket()
client.receive()
client.send(packet(0))
if client.until(text("sid")) is None:
    cannot_say("no client with the parser msgpack is let in")
client.send(packet(2, b"\x92" + text("message") + b"\xcb" + struct.pack(">d", NUMBER)))
answer = client.until(text("message-back"))
if answer is None:
    broken("an event with the number 1e21 is not answered")
came = number_behind("message-back", answer)
judge(came == NUMBER, "the number comes back as it was", f"the float 1e21 comes back as the number {came!r}")
