"""EIO-WS-09: a text message that is no packet."""
from raw import closes

closes("abc", "7", "")
