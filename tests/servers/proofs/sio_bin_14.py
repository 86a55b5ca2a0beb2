"""SIO-BIN-14: a binary packet that says it has no attachments."""
from raw import closes

closes('450-["message","hello"]')
