"""SIO-PK-13: an id that does not consist of digits."""
from raw import closes

closes('42x["message-with-ack"]', '42-1["message-with-ack"]')
