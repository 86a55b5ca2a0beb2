"""SIO-NS-16: an event to a namespace that the client never joined."""
from raw import closes

closes('42/custom,["message","hello"]')
