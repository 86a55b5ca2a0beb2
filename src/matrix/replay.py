#!/usr/bin/env python3
"""Plays the frames of one client again: python3 replay.py http://127.0.0.1:3000 (the standard library is enough)."""
import base64, json, os, re, socket, struct, sys, urllib.error, urllib.parse, urllib.request

STEPS = [
    # STEPS
]
QUIET = 2  # seconds without a frame after which nothing more is awaited
server = urllib.parse.urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000")
sid = None


def tell(sign, text):
    print(sign, text.replace("\x1e", "\\x1e"), flush=True)


def with_own_sid(text):
    return re.sub(r"sid=[^& ]*", f"sid={sid}", text) if sid else text


def request(method, path, body=None):
    """One HTTP request; the session of the answer becomes that of all later requests."""
    global sid
    tell(">", f"{method} {path} {body or ''}".rstrip())
    ask = urllib.request.Request(f"{server.scheme}://{server.netloc}{path}", body and body.encode(), method=method)
    try:
        with urllib.request.urlopen(ask, timeout=QUIET) as answer:
            status, text = answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        return tell("<", f"nothing: {error}")
    tell("<", f"{status} {text}")
    found = re.search(r'"sid":"([^"]*)"', text)
    sid = sid or (found and found.group(1))


class WebSocket:
    def __init__(self, path):
        self.socket = socket.create_connection((server.hostname, server.port or 80), QUIET)
        key = base64.b64encode(os.urandom(16)).decode()
        tell(">", f"GET {path} (websocket)")
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {server.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.bytes = self.socket.makefile("rb")
        status = self.bytes.readline().decode().strip()
        while self.bytes.readline().strip():
            pass
        tell("<", status)

    def send(self, text, opcode=1):
        tell(">", text)
        data, mask = text.encode(), os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + struct.pack(">H", len(data))
        self.socket.sendall(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def hear(self):
        """Tells what comes, until nothing does."""
        try:
            while True:
                first, size = self.bytes.read(2)
                size &= 0x7F
                if size == 126:
                    (size,) = struct.unpack(">H", self.bytes.read(2))
                elif size == 127:
                    (size,) = struct.unpack(">Q", self.bytes.read(8))
                data = self.bytes.read(size)
                opcode = first & 0x0F
                tell("<", data.decode("utf-8", "replace") if opcode == 1 else f"opcode {opcode}: {data!r}")
                if opcode == 8:
                    return
                if opcode == 1 and data == b"2":
                    self.send("3")
        except (OSError, ValueError):
            # After a time-out a buffered reader reads no more.
            self.bytes = self.socket.makefile("rb")


websocket = None
for kind, *what in STEPS:
    if kind == "websocket":
        websocket = WebSocket(with_own_sid(what[0]))
    elif kind == "frame":
        websocket.send(what[0])
    elif kind == "hear":
        websocket.hear()
    else:
        request(kind, with_own_sid(what[0]), what[1] if len(what) > 1 else None)
if websocket:
    websocket.hear()
