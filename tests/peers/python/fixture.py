"""The fixture contract on python-socketio, alone or as one of several nodes with `AsyncRedisManager`.

The environment sets it up like the Node peers: PORT, PING_INTERVAL and PING_TIMEOUT (milliseconds), MAX_HTTP_BUFFER_SIZE,
EXIT_WITH_STDIN=1, NODE (its name), ADAPTER (`redis` or `python`: joined by Redis at REDIS_PORT). It listens on the loopback
interface and says on one line where.
"""

import asyncio
import os
import signal
import sys
import threading

import socketio
import uvicorn

from contract import add_contract, number, options


def manager():
    if os.environ.get("ADAPTER", "none") == "none":
        return None
    return socketio.AsyncRedisManager(f"redis://127.0.0.1:{number('REDIS_PORT', 6379)}/0")


sio = socketio.AsyncServer(async_mode="asgi", client_manager=manager(), **options())
add_contract(sio)


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
