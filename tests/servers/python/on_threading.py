"""A thread for each request: the development server of Werkzeug, WebSockets by simple-websocket."""

import logging

import socketio
from common import HOST, blocking_server, leave_when_told, port
from werkzeug.serving import WSGIRequestHandler, run_simple

logging.getLogger("werkzeug").setLevel(logging.ERROR)
WSGIRequestHandler.protocol_version = "HTTP/1.1"
leave_when_told()
run_simple(HOST, port(), socketio.WSGIApp(blocking_server("threading")), threaded=True)
