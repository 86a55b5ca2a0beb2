"""EIO-HB-09: a ping from a client."""
from raw import closes

closes("2")
