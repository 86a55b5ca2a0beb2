#!/bin/sh
# The versions of what the server stands on: a line each, name first.
java --version | awk 'NR == 1 { print "java", $2 }'
sed -n 's/.*<version>\([0-9.]*\).*<\/version>.*/netty-socketio \1/p' target/source/pom.xml | head -1
basename /usr/share/java/netty-common-*.jar .jar | sed "s/^netty-common-/netty /"
