"""SIO-PK-12: a payload that is not JSON, or has something behind it."""
from raw import closes

closes('42["message",', '42["message","hello"]nonsense', '42["message","hello"]["message","again"]')
