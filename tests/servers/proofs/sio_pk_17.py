"""SIO-PK-17: an acknowledgement whose payload is no array."""
from raw import closes

closes("431{}", '431"hello"')
