"""Flask-SocketIO, with handlers as its applications have them: namespace and sid come from the request."""

import logging

from common import HOST, leave_when_told, options, port
from flask import Flask, request
from flask_socketio import SocketIO

import blocking

logging.getLogger("werkzeug").setLevel(logging.ERROR)
app = Flask(__name__)
app.config["SECRET_KEY"] = "of the fixture"
io = SocketIO(app, async_mode="threading", **options())


def on(name, handler):
    def with_request(*args):
        before = (request.environ,) if name == "connect" else ()
        return handler(request.namespace, request.sid, *before, *args)

    io.on(name, namespace="*")(with_request)


blocking.add_contract(io.server, on)
leave_when_told()
io.run(app, host=HOST, port=port(), allow_unsafe_werkzeug=True, log_output=False)
