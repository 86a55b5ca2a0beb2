"""SIO-BIN-12: more than ten attachments."""
from raw import closes

closes('4511-["message"]')
