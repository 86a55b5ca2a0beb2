"""Chat rooms with Flask-SocketIO, in the namespace /chat, with threads. Nothing is acknowledged.

  join { room, name }   ->  status { msg } to everybody in the room, whoever joins among them
  leave { room }        ->  status { msg } to those who stay
  text { room, msg }    ->  message { name, msg } to everybody in the room, the sender among them
  (a user disconnects)  ->  nothing

BREAK: lost      one message in eleven does not reach one of the members
       doubled   one message in eleven reaches one of the members twice
       ignored   who joins is told so, and is not in the room
"""

import logging
import os
import sys
import threading

from flask import Flask, request
from flask_socketio import Namespace, SocketIO, emit, join_room, leave_room
from werkzeug.serving import make_server

BREAKAGES = ("lost", "doubled", "ignored")
BREAK = os.environ.get("BREAK") or None
if BREAK is not None and BREAK not in BREAKAGES:
    sys.exit(f"BREAK={BREAK} is none of {', '.join(BREAKAGES)}")

logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request

app = Flask(__name__)
app.config["SECRET_KEY"] = "a third secret"
socketio = SocketIO(app, async_mode="threading", cors_allowed_origins="*")

deliveries = 0
counting = threading.Lock()


def one_in_eleven():
    global deliveries
    with counting:
        deliveries += 1
        # More than the room has members, so that each of them is hit.
        return deliveries % 11 == 0


class Chat(Namespace):
    def on_connect(self):
        self.names = getattr(self, "names", {})

    def on_join(self, data):
        self.names[request.sid] = data["name"]
        told = {"msg": f"{data['name']} has entered the room."}
        if BREAK == "ignored":
            emit("status", told)
        else:
            join_room(data["room"])
        emit("status", told, to=data["room"])

    def on_leave(self, data):
        leave_room(data["room"])
        emit("status", {"msg": f"{self.names.get(request.sid)} has left the room."}, to=data["room"])
        emit("left", {"room": data["room"]})

    def on_text(self, data):
        message = {"name": self.names.get(request.sid), "msg": data["msg"]}
        if BREAK not in ("lost", "doubled"):
            emit("message", message, to=data["room"])
            return
        manager = socketio.server.manager
        for sid, _ in list(manager.get_participants("/chat", data["room"])):
            copies = {"lost": 0, "doubled": 2}[BREAK] if one_in_eleven() else 1
            for _ in range(copies):
                emit("message", message, to=sid)

    def on_disconnect(self, reason=None):
        self.names.pop(request.sid, None)


socketio.on_namespace(Chat("/chat"))


def leave_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "0")), app, threaded=True)
    print(f"listening on http://127.0.0.1:{server.server_port}/socket.io/", flush=True)
    if os.environ.get("EXIT_WITH_STDIN") == "1":
        threading.Thread(target=leave_with_stdin, daemon=True).start()
    server.serve_forever()
