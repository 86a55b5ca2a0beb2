"""SIO-PK-04: a packet of no known type."""
from raw import closes

closes('47["message","hello"]', '4a["message","hello"]')
