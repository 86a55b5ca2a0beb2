"""SIO-PK-08: an event whose name is neither a text nor a number."""
from raw import closes

closes("42[[1]]", "42[null]", '42[{"a":1}]', "42[true]")
