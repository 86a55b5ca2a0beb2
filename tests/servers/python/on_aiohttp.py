from aiohttp import web
from common import HOST, leave_when_told, port, server

app = web.Application()
server("aiohttp").attach(app)
leave_when_told()
web.run_app(app, host=HOST, port=port(), print=None, handle_signals=False, shutdown_timeout=1)
