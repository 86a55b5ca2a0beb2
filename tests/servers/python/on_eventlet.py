# ruff: noqa: E402
import eventlet

eventlet.monkey_patch()

import eventlet.wsgi
import socketio
from common import HOST, blocking_server, leave_when_told, port

leave_when_told()
eventlet.wsgi.server(eventlet.listen((HOST, port())), socketio.WSGIApp(blocking_server("eventlet")), log_output=False)
