"""SIO-PK-06: an event whose payload is an empty array."""
from raw import closes

closes("42[]")
