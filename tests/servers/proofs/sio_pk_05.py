"""SIO-PK-05: an event whose payload is no array."""
from raw import closes

closes('42{"a":1}', '42"hello"', "42null")
