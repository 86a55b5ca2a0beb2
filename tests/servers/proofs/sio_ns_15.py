"""SIO-NS-15: a CONNECT to a namespace where the client is already."""
from raw import closes

closes("40")
