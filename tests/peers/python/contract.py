"""The fixture contract on python-socketio: every server of it shares this, whichever host it runs on.

What the library cannot do is left out: connection state recovery, and answers of several clients to one broadcast.
"""

import os
import re
from urllib.parse import parse_qsl

import socketio

NAMESPACES = ["/", "/custom", "/guard"]
EVENTS = ["message", "message-with-ack", "t:join", "t:leave", "t:cast", "t:sockets", "t:ask", "t:burst", "t:who", "t:bye"]


def number(name, default):
    return int(os.environ.get(name) or default)


def options():
    """Those of a server, as the environment has them."""
    return {
        "cors_allowed_origins": "*",
        "namespaces": "*",
        "ping_interval": number("PING_INTERVAL", 300) / 1000,
        "ping_timeout": number("PING_TIMEOUT", 200) / 1000,
        "max_http_buffer_size": number("MAX_HTTP_BUFFER_SIZE", 1_000_000),
    }


def is_known(namespace):
    return namespace in NAMESPACES or re.fullmatch(r"/dyn-\d+", namespace)


def as_list(rooms):
    return rooms if isinstance(rooms, list) else [rooms]


class Contract:
    """The handlers, over an `AsyncServer`; `Blocking` lets a `Server` take its place."""

    def __init__(self, sio):
        self.sio = sio

    def rooms_of(self, sid, namespace):
        return list(self.sio.rooms(sid, namespace))

    def members(self, namespace, room):
        return {sid for sid, _ in self.sio.manager.get_participants(namespace, room)} if self.has(namespace, room) else set()

    def has(self, namespace, room):
        return room in self.sio.manager.rooms.get(namespace, {})

    def members_of_all(self, namespace, rooms):
        return set().union(*(self.members(namespace, room) for room in rooms or []))

    async def connect(self, namespace, sid, environ, auth=None):
        if not is_known(namespace):
            raise socketio.exceptions.ConnectionRefusedError("Invalid namespace")
        if namespace == "/guard" and (auth or {}).get("token") != "ok":
            raise socketio.exceptions.ConnectionRefusedError("nope", {"code": 7})
        await self.sio.save_session(sid, {"auth": auth or {}, "environ": environ}, namespace)
        # The client is connected when this handler is done.
        self.sio.start_background_task(self.greet, namespace, sid, auth or {})

    async def greet(self, namespace, sid, auth):
        await self.sio.sleep(0.05)
        await self.sio.emit("auth", auth, to=sid, namespace=namespace)

    async def disconnect(self, namespace, sid, reason=None):
        if is_known(namespace):
            told = (sid, namespace, reason, self.rooms_of(sid, namespace))
            await self.sio.emit("gone", told, to="watch", namespace="/")

    async def event(self, event, namespace, sid, *args):
        """The answer: a tuple of arguments, or one argument."""
        try:
            answer = await self.answer(event, namespace, sid, *args)
        except (IndexError, KeyError, TypeError, ValueError):
            return ()  # A command whose arguments make no sense.
        return () if answer is None else answer

    async def answer(self, event, namespace, sid, *args):
        if event == "message":
            await self.sio.emit("message-back", args, to=sid, namespace=namespace)
        elif event == "message-with-ack":
            return args
        elif event == "t:join":
            for room in as_list(args[0]):
                await self.sio.enter_room(sid, room, namespace)
            return self.rooms_of(sid, namespace)
        elif event == "t:leave":
            await self.sio.leave_room(sid, args[0], namespace)
            return self.rooms_of(sid, namespace)
        elif event == "t:cast":
            await self.cast(namespace, sid, *args[:3])
        elif event == "t:sockets":
            return await self.in_bulk(namespace, *args[:3])
        elif event == "t:ask":
            return await self.ask(namespace, sid, *args[:3])
        elif event == "t:burst":
            await self.burst(namespace, sid, *args[:3])
        elif event == "t:who":
            return await self.who(namespace, sid)
        elif event == "t:bye":
            self.sio.start_background_task(self.leave, namespace, sid, args[0])
        return None

    async def cast(self, namespace, sid, target, event, args):
        skip = set() if target.get("from") == "io" else {sid}
        # The library leaves out sockets, not rooms.
        skip |= self.members_of_all(namespace, target.get("except"))
        rooms = target.get("to") or None
        local = "local" in (target.get("flags") or [])
        await self.sio.emit(event, tuple(args), to=rooms, skip_sid=list(skip), namespace=namespace, ignore_queue=local)

    async def in_bulk(self, namespace, target, what, argument):
        reached = self.members_of_all(namespace, target.get("to") or [None]) - self.members_of_all(namespace, target.get("except"))
        if what == "list":
            return list(reached)
        for sid in reached:
            if what == "disconnect":
                await self.put_out(namespace, sid, argument)
            for room in as_list(argument) if what in ("join", "leave") else []:
                await (self.sio.enter_room if what == "join" else self.sio.leave_room)(sid, room, namespace)
        return None

    async def ask(self, namespace, sid, milliseconds, event, args):
        try:
            answer = await self.sio.call(event, tuple(args), to=sid, namespace=namespace, timeout=milliseconds / 1000)
        except socketio.exceptions.TimeoutError:
            return (True,)
        return (False, *(answer if isinstance(answer, tuple) else () if answer is None else (answer,)))

    async def burst(self, namespace, sid, count, milliseconds, binary):
        for i in range(count):
            args = (i, bytes([i & 255])) if binary and i % 2 else (i,)
            await self.sio.emit("n", args, to=sid, namespace=namespace)
            await self.sio.sleep(milliseconds / 1000)

    async def who(self, namespace, sid):
        session = await self.sio.get_session(sid, namespace)
        environ = session["environ"]
        of_requests = {key: value for key, value in environ.items() if key.startswith("HTTP_") and isinstance(value, str)}
        found = {
            "id": sid,
            "nsp": namespace,
            "auth": session["auth"],
            "query": dict(parse_qsl(environ.get("QUERY_STRING", ""))),
            "headers": {key[5:].replace("_", "-").lower(): value for key, value in of_requests.items()},
            "recovered": False,
            "transport": self.sio.transport(sid, namespace),
        }
        return found | ({"node": os.environ["NODE"]} if os.environ.get("NODE") else {})

    async def leave(self, namespace, sid, close):
        # The acknowledgement goes first.
        await self.sio.sleep(0.01)
        await self.put_out(namespace, sid, close)

    async def put_out(self, namespace, sid, close):
        if close:
            await self.sio.eio.disconnect(self.sio.manager.eio_sid_from_sid(sid, namespace))
        else:
            await self.sio.disconnect(sid, namespace)


def add_contract(sio):
    """To an `AsyncServer`."""
    contract = Contract(sio)

    async def event(name, namespace, sid, *args):
        return await contract.event(name, namespace, sid, *args)

    sio.on("connect", contract.connect, namespace="*")
    sio.on("disconnect", contract.disconnect, namespace="*")
    sio.on("*", event, namespace="*")
