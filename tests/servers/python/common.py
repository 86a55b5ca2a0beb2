"""What the servers of python-socketio in the folders beside this one share: their options and how they begin and end."""

import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "peers" / "python"))

import socketio  # noqa: E402
from contract import add_contract, number, options  # noqa: E402

HOST = "127.0.0.1"


def port():
    return number("PORT", 3000)


def server(mode, **more):
    """An `AsyncServer` with the contract."""
    sio = socketio.AsyncServer(async_mode=mode, **options(), **more)
    add_contract(sio)
    return sio


def blocking_server(mode, **more):
    """A `Server` with the contract."""
    import blocking

    sio = socketio.Server(async_mode=mode, **options(), **more)
    blocking.add_contract(sio)
    return sio


def leave_when_told():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if os.environ.get("EXIT_WITH_STDIN") == "1":
        threading.Thread(target=leave_with_stdin, daemon=True).start()


def leave_with_stdin():
    sys.stdin.read()
    os._exit(0)
