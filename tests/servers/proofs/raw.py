"""HTTP and WebSocket by hand, for the proofs beside this file: Python's standard library and nothing else.

A proof is called with the URL of a server (http://127.0.0.1:3000). It prints every byte of meaning that it sends (>) and sees (<),
with the ids of sessions left out, and ends with a line that begins with KEPT (exit code 0), BROKEN (exit code 1) or CANNOT SAY (exit code 2).
"""

import base64
import contextlib
import gzip
import io
import json
import os
import re
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

URL = urlsplit(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000")
ENGINE = 4
SEPARATOR = "\x1e"


def tell(direction, text):
    if isinstance(text, bytes):
        # The ids in what answers a CONNECT with the parser msgpack.
        text = "(binary) " + re.sub(r"(a37[03]6964b4)[0-9a-f]{40}", r"\1…", text.hex())
    # In a call of JSONP the quotes are escaped.
    text = re.sub(r'(\\?)"(sid|pid)\1":\1"[^"\\]*\1"', r'\1"\2\1":\1"…\1"', text.replace(SEPARATOR, " ␞ "))
    # The offset that connection state recovery adds to an event.
    text = re.sub(r',"[\w-]{7,9}(\.\w+)?"\]', ',"…"]', text)
    text = re.sub(r"([?&]sid)=[^& ]*", lambda found: found[0] if found[0].endswith("=nope") else f"{found[1]}=…", text)
    print(direction, text if len(text) <= 200 else f"{text[:160]}… ({len(text)} characters)", flush=True)


def kept(text):
    print("KEPT:", text)
    sys.exit(0)


def broken(text):
    print("BROKEN:", text)
    sys.exit(1)


def cannot_say(text):
    print("CANNOT SAY:", text)
    sys.exit(2)


def judge(is_kept, keeping, breaking):
    (kept if is_kept else broken)(keeping if is_kept else breaking)


def judge_order(rounds, answers):
    """Whether the numbers that `answers` sees come in order, so many times; of those rounds, one that breaks it is shown."""
    for _ in range(rounds):
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            seen = answers()
        if seen != sorted(seen):
            print(told.getvalue(), end="")
            place = next(index for index in range(1, len(seen)) if seen[index] < seen[index - 1])
            broken(f"the answer to {seen[place]} comes after that to {seen[place - 1]}")
    kept(f"the order is kept, {rounds} times")


class Connection:
    """A TCP connection."""

    def __init__(self):
        self.socket = socket.create_connection((URL.hostname, URL.port or 80), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def fill(self, deadline):
        """False if the other side is done. TimeoutError if nothing comes in time."""
        self.socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            return False
        self.buffer += data
        return bool(data)

    def take(self, count, deadline):
        while len(self.buffer) < count:
            if not self.fill(deadline):
                raise EOFError
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def take_until(self, end, deadline):
        while end not in self.buffer:
            if not self.fill(deadline):
                raise EOFError
        data, self.buffer = self.buffer.split(end, 1)
        return data

    def close(self):
        self.socket.close()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def packets(self):
        return self.body.split(SEPARATOR)


def head(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {URL.netloc}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_head(connection, deadline):
    lines = connection.take_until(b"\r\n\r\n", deadline).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers


def read_answer(connection, deadline):
    status, headers = read_head(connection, deadline)
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(connection.take_until(b"\r\n", deadline).split(b";")[0], 16):
            body += connection.take(size, deadline)
            connection.take(2, deadline)
        connection.take(2, deadline)
    elif "content-length" in headers:
        body = connection.take(int(headers["content-length"]), deadline)
    else:
        body = b""
        if status not in (204, 304):
            while connection.fill(deadline):
                pass
            body = connection.buffer
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Answer(status, headers, body.decode("utf-8", "replace"))


class Request:
    """An HTTP request that was sent and whose answer may be waited for."""

    def __init__(self, method, query, body=None, headers=None, path="/socket.io/", quiet=False):
        self.connection = Connection()
        self.quiet = quiet
        data = body.encode() if isinstance(body, str) else body
        headers = dict(headers or {})
        if data is not None:
            headers = {"Content-Type": "text/plain;charset=UTF-8", "Content-Length": str(len(data)), **headers}
        target = f"{path}?{query}" if query else path
        if not quiet:
            tell(">", f"{method} {target}" + ("" if body is None else f" {body if isinstance(body, str) else body!r}"))
        self.connection.send(head(method, target, headers) + (data or b""))

    def answer(self, within=5):
        """None if there is none."""
        deadline = time.monotonic() + within
        try:
            answer = read_answer(self.connection, deadline)
        except (TimeoutError, EOFError) as missing:
            tell("<", "(the connection ends)" if isinstance(missing, EOFError) else f"(nothing within {within} s)")
            return None
        finally:
            self.connection.close()
        if not self.quiet:
            tell("<", f"{answer.status} {answer.body}".rstrip())
        return answer


def request(method, query, body=None, headers=None, within=5, **more):
    return Request(method, query, body, headers, **more).answer(within)


class Polling:
    """A session over long-polling."""

    def __init__(self):
        answer = request("GET", f"EIO={ENGINE}&transport=polling")
        self.handshake = json.loads(re.search(r"\{.*?\}", answer.body)[0])
        self.sid = self.handshake["sid"]
        self.query = f"EIO={ENGINE}&transport=polling&sid={self.sid}"

    def post(self, body, within=5, headers=None):
        return request("POST", self.query, body, headers, within)

    def poll(self, within=5):
        return request("GET", self.query, within=within)

    def begin_poll(self):
        return Request("GET", self.query)

    def poll_for(self, part, within=3):
        """Polls until a packet contains this; pings are answered. All packets, or None."""
        deadline, seen = time.monotonic() + within, []
        while time.monotonic() < deadline:
            answer = self.poll(within=max(0.1, round(deadline - time.monotonic(), 1)))
            if answer is None or answer.status != 200:
                return None
            seen += answer.packets
            if any(part in packet for packet in answer.packets):
                return seen
            if "2" in answer.packets:
                self.post("3")
        return None

    def connect(self):
        """Joins `/`, and fetches what the fixture says at the beginning."""
        self.post("40")
        seen = self.poll_for("40") or []
        if not any('"auth"' in packet for packet in seen):
            self.poll_for('"auth"')


class WebSocket:
    """`events` is what came and nobody has asked for yet."""

    def __init__(self, query=None, headers=None):
        self.connection = Connection()
        self.closed = False
        target = f"/socket.io/?{query or f'EIO={ENGINE}&transport=websocket'}"
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **(headers or {}),
        }
        tell(">", f"GET {target} (asks for a WebSocket)")
        self.connection.send(head("GET", target, {name: value for name, value in headers.items() if value is not None}))
        self.status = None
        try:
            self.status, _ = read_head(self.connection, time.monotonic() + 5)
        except (TimeoutError, EOFError):
            pass
        self.closed = self.status != 101
        tell("<", str(self.status) if self.status else "(no answer)")

    def send(self, message):
        tell(">", message)
        self.frame(2 if isinstance(message, bytes) else 1, message if isinstance(message, bytes) else message.encode())

    def send_at_once(self, *messages):
        """In one segment."""
        for message in messages:
            tell(">", message)
        self.connection.send(b"".join(self.encoded(1, message.encode()) for message in messages))

    def frame(self, opcode, payload, fin=True):
        self.connection.send(self.encoded(opcode, payload, fin))

    @staticmethod
    def encoded(opcode, payload, fin=True):
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size) if size < 65536 else b"\xff" + struct.pack(">Q", size)
        mask = os.urandom(4)
        key = (mask * (size // 4 + 1))[:size]
        body = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        return bytes([(0x80 if fin else 0) | opcode]) + length + mask + body

    def receive(self, within=2, pings=True):
        """The next message; None if there is none, or none any more (`closed`). Pings of Engine.IO are answered and not told."""
        deadline = time.monotonic() + within
        while not self.closed:
            try:
                first, second = self.connection.take(2, deadline)
                size = second & 127
                if size > 125:
                    size = int.from_bytes(self.connection.take(2 if size == 126 else 8, deadline), "big")
                payload = self.connection.take(size, deadline)
            except TimeoutError:
                tell("<", f"(nothing within {within} s)")
                return None
            except EOFError:
                tell("<", "(the connection ends)")
                self.closed = True
                return None
            opcode = first & 15
            if opcode == 8:
                self.closed = True
                self.close_code = int.from_bytes(payload[:2], "big") if payload else 1005
                tell("<", f"(close frame, {self.close_code})")
                return None
            if opcode == 9:
                self.frame(10, payload)
            elif opcode in (1, 2):
                message = payload if opcode == 2 else payload.decode()
                if message == "2" and pings and ENGINE == 4:
                    self.frame(1, b"3")
                    continue
                tell("<", message)
                return message
        return None

    def until(self, part, within=2):
        """The first message that contains this; None if it does not come."""
        deadline = time.monotonic() + within
        while (message := self.receive(max(0.05, round(deadline - time.monotonic(), 1)))) is not None:
            if (part in message) if isinstance(part, type(message)) else False:
                return message
        return None

    def ends(self, within=2):
        """Whether the server ends the connection in this time."""
        deadline = time.monotonic() + within
        while not self.closed and (left := deadline - time.monotonic()) > 0:
            self.receive(max(0.05, round(left, 1)))
        return self.closed

    def is_answered(self, namespace=""):
        """Whether the fixture still repeats a message."""
        if self.closed:
            return False
        self.send(f'42{namespace}["message","still there"]')
        return self.until("still there") is not None

    def drop(self):
        self.connection.close()


def connected(*namespaces):
    """A client on a WebSocket, in `/` and these namespaces, with what the fixture says at the beginning behind it."""
    client = WebSocket()
    client.receive()
    for namespace in ["", *(f"{name}," for name in namespaces)]:
        client.send(f"40{namespace}")
        client.until('"auth"')
    return client


def sid_of(client_answer):
    return json.loads(client_answer[client_answer.index("{") :])["sid"]


def closes(*attempts, within=2):
    """That the server closes the connection of a client that sends this. Each attempt is a list of messages, or one."""
    open_still = []
    for attempt in attempts:
        client = connected()
        for message in attempt if isinstance(attempt, list) else [attempt]:
            client.send(message)
        if not client.ends(within):
            answered = client.is_answered()
            open_still.append(f"{attempt!r}" + (", and answers the next event" if answered else ""))
        client.drop()
        print()
    judge(not open_still, "the server closes the connection", "the server keeps the connection open after " + "; ".join(open_still))
