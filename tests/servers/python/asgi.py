"""For hosts that take an ASGI application: `uvicorn asgi:app`, `hypercorn asgi:app`, `daphne asgi:app`."""

import socketio
from common import server

app = socketio.ASGIApp(server("asgi"))
