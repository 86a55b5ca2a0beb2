"""The fixture contract on python-socketio 4.6, which speaks Engine.IO 3 and Socket.IO protocol 4.

Settings come from the environment, as for the other fixtures: see ../README.md. What python-socketio lacks is told in
tests/peers_older.rs.
"""

import asyncio
import os
import re
import sys
import threading

import socketio
from aiohttp import web

_wait = asyncio.wait


async def wait(coroutines, **options):
    return await _wait([asyncio.ensure_future(one) for one in coroutines], **options)


# python-socketio hands coroutines to it, which Python takes no more since 3.11.
asyncio.wait = wait


def seconds(name, otherwise):
    """These are whole seconds in python-socketio; a fraction becomes one."""
    return max(1, int(os.environ.get(name) or otherwise) // 1000)


server = socketio.AsyncServer(
    async_mode="aiohttp",
    cors_allowed_origins="*",
    ping_interval=seconds("PING_INTERVAL", 1000),
    ping_timeout=seconds("PING_TIMEOUT", 1000),
)


def credentials(environ):
    """What came in the query, beside what Engine.IO has there."""
    from urllib.parse import parse_qs

    own = {"EIO", "transport", "t", "sid", "b64", "j"}
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return {name: values[-1] for name, values in query.items() if name not in own}


def receivers(sid, target, namespace):
    rooms = server.manager.rooms.get(namespace, {})

    def members(names):
        return {one for name in names for one in rooms.get(name, {})}

    reached = members(target.get("to") or [None]) - members(target.get("except") or [])
    return reached if target.get("from") == "io" else reached - {sid}


class Fixture(socketio.AsyncNamespace):
    async def on_connect(self, sid, environ):
        await self.emit("auth", credentials(environ), room=sid)

    async def on_message(self, sid, *args):
        await self.emit("message-back", args, room=sid)

    async def trigger_event(self, event, *args):
        names = {"message-with-ack": self.echo, "t:join": self.join, "t:leave": self.leave, "t:cast": self.cast}
        names |= {"t:who": self.who, "t:bye": self.bye, "t:sockets": self.sockets}
        if event in names:
            return await names[event](*args)
        return await super().trigger_event(event, *args)

    async def echo(self, sid, *args):
        return args

    async def join(self, sid, rooms):
        for room in rooms if isinstance(rooms, list) else [rooms]:
            self.enter_room(sid, room)
        return list(self.rooms(sid))

    async def leave(self, sid, room):
        self.leave_room(sid, room)
        return list(self.rooms(sid))

    async def cast(self, sid, target, event, args):
        for other in receivers(sid, target, self.namespace):
            await self.emit(event, tuple(args), room=other)
        return ()

    async def sockets(self, sid, target, what, argument):
        for other in receivers(sid, {**target, "from": "io"}, self.namespace):
            if what == "join":
                self.enter_room(other, argument)
            elif what == "leave":
                self.leave_room(other, argument)
            else:
                await self.disconnect(other)
        return ()

    async def who(self, sid):
        environ = server.environ[sid]
        headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
        own = {"id": sid, "nsp": self.namespace, "auth": credentials(environ), "recovered": False, "headers": headers}
        return {**own, "query": credentials(environ), "transport": server.transport(sid)}

    async def bye(self, sid, close):
        await self.disconnect(sid)

    # Who wants to know joins the room "watch" of the main namespace.
    async def on_disconnect(self, sid):
        told = (sid, self.namespace, "disconnect", list(self.rooms(sid)))
        await server.emit("gone", told, room="watch", namespace="/")


class Guard(Fixture):
    async def on_connect(self, sid, environ):
        if credentials(environ).get("token") != "ok":
            raise socketio.exceptions.ConnectionRefusedError({"message": "nope", "data": {"code": 7}})
        await super().on_connect(sid, environ)


class Handlers(dict):
    """Of namespaces: those of a pattern come into being when the server looks for them."""

    def __contains__(self, name):
        if re.fullmatch(r"/dyn-\d+", name) and not super().__contains__(name):
            server.register_namespace(Fixture(name))
        return super().__contains__(name)


server.namespace_handlers = Handlers()
for name in ["/", "/custom"]:
    server.register_namespace(Fixture(name))
server.register_namespace(Guard("/guard"))

app = web.Application()
server.attach(app)


async def main():
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", int(os.environ.get("PORT") or 0))
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}/socket.io/", flush=True)
    await asyncio.Event().wait()


def leave_with_input():
    sys.stdin.read()
    os._exit(0)


if os.environ.get("EXIT_WITH_STDIN") == "1":
    threading.Thread(target=leave_with_input, daemon=True).start()
asyncio.run(main())
