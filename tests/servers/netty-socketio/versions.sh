#!/bin/sh
# The versions of what the server stands on: a line each, name first.
java --version | awk 'NR == 1 { print "java", $2 }'
echo "${NETTY_SOCKETIO:-}" | tr ':' '\n' | sed -n 's/.*\/\(netty-socketio\|netty-common\)-\([0-9][^/]*\)\.jar$/\1 \2/p'
