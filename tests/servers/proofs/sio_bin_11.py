"""SIO-BIN-11: a binary packet without a number and a hyphen behind its type."""
from raw import closes

closes(
    "45",
    '451["message",{"_placeholder":true,"num":0}]',
    '45x-["message",{"_placeholder":true,"num":0}]',
    '451.5-["message",{"_placeholder":true,"num":0}]',
    '45-1-["message",{"_placeholder":true,"num":0}]',
)
