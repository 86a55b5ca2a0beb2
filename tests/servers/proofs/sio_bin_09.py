"""SIO-BIN-09: bytes that no packet announced."""
from raw import closes

closes(b"\x01")
