"""A collector of OpenTelemetry for metrics over HTTP, made of the official protobuf definitions.

usage: collector.py

Listens on any free port of this machine, says where (`listening on http://127.0.0.1:PORT`), and prints each request as a line of
JSON: its path, its headers, and what the definitions read from its body. What does not fit them is answered with 400. Ends with
its standard input.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)


def read(body):
    """A request, in which nothing is unknown to the definitions."""
    request = ExportMetricsServiceRequest.FromString(body)
    if len(UnknownFieldSet(request)) or request.SerializeToString(deterministic=True) == b"":
        raise DecodeError("it holds unknown fields, or nothing")
    return MessageToDict(request)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            if self.headers["Content-Type"] != "application/x-protobuf":
                raise DecodeError("it is not protobuf")
            status, answer = 200, ExportMetricsServiceResponse().SerializeToString()
            seen = {"path": self.path, "headers": dict(self.headers), "request": read(body)}
        except DecodeError as error:
            status, answer, seen = 400, b"", {"path": self.path, "error": str(error)}
        print(json.dumps(seen), flush=True)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
