"""The fixture contract on python-socketio, alone or as one of several nodes with `AsyncRedisManager`.

The environment sets it up like the Node peers: PORT, PING_INTERVAL and PING_TIMEOUT (milliseconds), MAX_HTTP_BUFFER_SIZE,
EXIT_WITH_STDIN=1, NODE (its name), ADAPTER (`redis` or `python`: joined by Redis at REDIS_PORT). It listens on the loopback
interface and says on one line where. What the library cannot do is left out: several rooms as one target, connection state
recovery, and answers of several clients to one broadcast.
"""

import asyncio
import os
import re
import signal
import sys
import threading
from urllib.parse import parse_qsl

import socketio
import uvicorn

NAMESPACES = ["/", "/custom", "/guard"]


def number(name, default):
    return int(os.environ.get(name) or default)


def manager():
    if os.environ.get("ADAPTER", "none") == "none":
        return None
    return socketio.AsyncRedisManager(f"redis://127.0.0.1:{number('REDIS_PORT', 6379)}/0")


sio = socketio.AsyncServer(
    async_mode="asgi",
    client_manager=manager(),
    cors_allowed_origins="*",
    namespaces="*",
    ping_interval=number("PING_INTERVAL", 300) / 1000,
    ping_timeout=number("PING_TIMEOUT", 200) / 1000,
    max_http_buffer_size=number("MAX_HTTP_BUFFER_SIZE", 1_000_000),
)


def rooms_of(sid, namespace):
    return list(sio.rooms(sid, namespace))


def as_list(rooms):
    return rooms if isinstance(rooms, list) else [rooms]


async def on_connect(namespace, sid, environ, auth):
    known = namespace in NAMESPACES or re.fullmatch(r"/dyn-\d+", namespace)
    if not known:
        raise socketio.exceptions.ConnectionRefusedError("Invalid namespace")
    if namespace == "/guard" and (auth or {}).get("token") != "ok":
        raise socketio.exceptions.ConnectionRefusedError("nope", {"code": 7})
    await sio.save_session(sid, {"auth": auth or {}, "environ": environ}, namespace)
    await sio.emit("auth", auth or {}, to=sid, namespace=namespace)


async def on_disconnect(namespace, sid, reason):
    if namespace in NAMESPACES:
        await sio.emit("gone", (sid, namespace, reason, rooms_of(sid, namespace)), to="watch", namespace="/")


async def cast(namespace, sid, target, event, args):
    skip = None if target.get("from") == "io" else sid
    rooms = target.get("to") or None
    if target.get("except"):
        # The library leaves out sockets, not rooms.
        skip = [skip] if skip else []
        for room in target["except"]:
            skip += [member for member, _ in sio.manager.get_participants(namespace, room)]
    await sio.emit(event, tuple(args), to=rooms, skip_sid=skip, namespace=namespace)


async def in_bulk(namespace, target, what, argument):
    members = {sid for room in target.get("to") or [None] for sid, _ in sio.manager.get_participants(namespace, room)}
    if what == "list":
        return list(members)
    for sid in members:
        if what == "disconnect":
            await sio.disconnect(sid, namespace)
        for room in as_list(argument) if what in ("join", "leave") else []:
            await (sio.enter_room if what == "join" else sio.leave_room)(sid, room, namespace)
    return None


async def ask(namespace, sid, milliseconds, event, args):
    try:
        answer = await sio.call(event, tuple(args), to=sid, namespace=namespace, timeout=milliseconds / 1000)
    except socketio.exceptions.TimeoutError:
        return (True,)
    return (False, *(answer if isinstance(answer, (list, tuple)) else [answer]))


async def who(namespace, sid):
    session = await sio.get_session(sid, namespace)
    environ = session["environ"]
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    found = {
        "id": sid,
        "nsp": namespace,
        "auth": session["auth"],
        "query": dict(parse_qsl(environ.get("QUERY_STRING", ""))),
        "headers": headers,
        "recovered": False,
        "transport": sio.transport(sid, namespace),
    }
    return found | ({"node": os.environ["NODE"]} if os.environ.get("NODE") else {})


async def on_event(event, namespace, sid, *args):
    if event == "message":
        await sio.emit("message-back", args, to=sid, namespace=namespace)
    elif event == "message-with-ack":
        return args
    elif event == "t:join":
        for room in as_list(args[0]):
            await sio.enter_room(sid, room, namespace)
        return rooms_of(sid, namespace)
    elif event == "t:leave":
        await sio.leave_room(sid, args[0], namespace)
        return rooms_of(sid, namespace)
    elif event == "t:cast":
        await cast(namespace, sid, *args[:3])
    elif event == "t:sockets":
        return await in_bulk(namespace, *args[:3])
    elif event == "t:ask":
        return await ask(namespace, sid, *args[:3])
    elif event == "t:who":
        return await who(namespace, sid)
    elif event == "t:bye":
        await sio.disconnect(sid, namespace)
    return None


def answers(handler):
    """A list that is the answer is one argument; a tuple is several."""

    async def handle(event, namespace, sid, *args):
        try:
            answer = await handler(event, namespace, sid, *args)
        except (IndexError, KeyError, TypeError, ValueError):
            return ()  # A command whose arguments make no sense.
        return () if answer is None else answer

    return handle


sio.on("connect", on_connect, namespace="*")
sio.on("disconnect", on_disconnect, namespace="*")
sio.on("*", answers(on_event), namespace="*")


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port}/socket.io/", flush=True)


def leave_with_stdin():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if os.environ.get("EXIT_WITH_STDIN") == "1":
        threading.Thread(target=leave_with_stdin, daemon=True).start()
    app = socketio.ASGIApp(sio)
    config = uvicorn.Config(app, host="127.0.0.1", port=number("PORT", 0), log_level="error", ws="websockets-sansio")
    asyncio.run(Server(config).serve())
