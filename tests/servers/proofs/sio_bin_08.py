"""SIO-BIN-08: text while an attachment is due."""
from raw import closes

closes(['451-["message",{"_placeholder":true,"num":0}]', '42["message","hello"]'])
