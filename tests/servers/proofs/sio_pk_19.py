"""SIO-PK-19: a DISCONNECT with a payload."""
from raw import closes

closes("41{}")
