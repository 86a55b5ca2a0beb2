# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()

import socketio
from common import HOST, blocking_server, leave_when_told, port
from gevent import pywsgi
from geventwebsocket.handler import WebSocketHandler

leave_when_told()
app = socketio.WSGIApp(blocking_server("gevent"))
pywsgi.WSGIServer((HOST, port()), app, log=None, handler_class=WebSocketHandler).serve_forever()
