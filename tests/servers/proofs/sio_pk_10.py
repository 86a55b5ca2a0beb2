"""SIO-PK-10: the names of the library's own events."""
from raw import closes

closes(*(f'42["{name}"]' for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]))
