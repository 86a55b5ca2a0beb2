from common import HOST, port, server
from sanic import Sanic

app = Sanic("fixture")
app.config["CORS_SUPPORTS_CREDENTIALS"] = True
server("sanic").attach(app)
if __name__ == "__main__":
    app.run(HOST, port(), single_process=True, access_log=False, motd=False)
