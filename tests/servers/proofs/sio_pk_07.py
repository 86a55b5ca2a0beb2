"""SIO-PK-07: an event without a payload."""
from raw import closes

closes("42")
