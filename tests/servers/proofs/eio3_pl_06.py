"""EIO3-PL-06: a poll of JSONP is valid JavaScript."""
from eio_http_17 import QUOTE, play

play(3, ["plain", QUOTE])
