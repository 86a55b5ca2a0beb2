import asyncio

import socketio
import tornado.web
from common import HOST, leave_when_told, port, server


async def main():
    handler = socketio.get_tornado_handler(server("tornado"))
    # python-socketio looks at the length of a message itself.
    app = tornado.web.Application([(r"/socket.io/", handler)], websocket_max_message_size=2_000_000)
    app.listen(port(), HOST)
    await asyncio.Event().wait()


leave_when_told()
asyncio.run(main())
