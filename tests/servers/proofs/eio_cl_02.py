"""EIO-CL-02: a close packet on a WebSocket. Soon, for a server may end any silent connection after its heartbeats."""
from raw import closes

closes("1", within=1)
