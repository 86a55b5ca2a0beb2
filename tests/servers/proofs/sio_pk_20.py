"""SIO-PK-20: a CONNECT_ERROR from a client."""
from raw import closes

closes('44{"message":"no"}')
