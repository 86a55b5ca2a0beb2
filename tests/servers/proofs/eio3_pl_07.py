"""EIO3-PL-07: a post of JSONP is a form, whose newlines are escaped."""
from eio_http_17 import BREAK, play

play(3, ["plain", BREAK])
