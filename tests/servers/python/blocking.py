"""The fixture contract on the synchronous server of python-socketio, without a second copy of it.

The handlers of the contract are coroutines. Here all that they wait for is done at once, by calls that block, so that each of
them runs to its end at the first step.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "peers" / "python"))

from contract import EVENTS, Contract  # noqa: E402

WAITED_FOR = ["call", "disconnect", "emit", "enter_room", "get_session", "leave_room", "save_session", "sleep"]


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("a handler of the contract waits for something that does not block")


def awaitable(function):
    async def call(*args, **kwargs):
        return function(*args, **kwargs)

    return call


class Blocking:
    """Stands for an `AsyncServer`; the calls that it does not wrap are the same on both."""

    def __init__(self, server):
        self.server = server
        for name in WAITED_FOR:
            setattr(self, name, awaitable(getattr(server, name)))
        self.eio = type("Engine", (), {"disconnect": staticmethod(awaitable(server.eio.disconnect))})

    def __getattr__(self, name):
        return getattr(self.server, name)

    def start_background_task(self, handler, *args):
        return self.server.start_background_task(lambda: run(handler(*args)))


def add_contract(server, on=None):
    """To a `Server`. `on(name, handler)` registers a handler for all namespaces."""
    contract = Contract(Blocking(server))
    on = on or (lambda name, handler: server.on(name, handler, namespace="*"))

    def handler_of(name):
        return lambda namespace, sid, *args: run(contract.event(name, namespace, sid, *args))

    on("connect", lambda namespace, sid, environ, auth=None: run(contract.connect(namespace, sid, environ, auth)))
    on("disconnect", lambda namespace, sid, reason=None: run(contract.disconnect(namespace, sid, reason)))
    for name in EVENTS:
        on(name, handler_of(name))
