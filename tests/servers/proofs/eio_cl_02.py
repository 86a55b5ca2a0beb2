"""EIO-CL-02: a close packet on a WebSocket."""
from raw import closes

closes("1")
