#!/bin/sh
# Builds eiows against the headers that come with Node. Its own build wants all of Node's source for one thing, the TLS
# session of a socket; no fixture speaks TLS, so that place answers "none" here, as eiows does for a socket without TLS.
set -eu
cd "$(dirname "$0")"
npm ci --ignore-scripts
cd node_modules/eiows
built=dist/eiows_$(node -p process.version).node
headers=$(node -p 'require("path").resolve(process.execPath, "../../include/node")')
[ -e "$headers/node.h" ] || { echo "Node's headers are not in $headers" >&2; exit 1; }

awk '
/#include "node\/src\/crypto\/crypto_tls.h"/ { next }
/^using (BaseObject|TLSWrap) =/ { next }
/^class TLSWrapSSLGetter/ { dropping = 1 }
dropping { if (/^};/) dropping = 0; next }
/TLSWrapSSLGetter\* tw;/ { next }
/ASSIGN_OR_RETURN_UNWRAP/ { next }
/tw->setSSL\(args\);/ { print "    args.GetReturnValue().Set(v8::Null(isolate));"; next }
{ print }
' nodejs/src/addon.h >addon.h
mv addon.h nodejs/src/addon.h
g++ -std=c++20 -O2 -fPIC -shared -Wno-cast-function-type -DHAVE_OPENSSL=1 -DNODE_GYP_MODULE_NAME=eiows -DBUILDING_NODE_EXTENSION \
    -I"$headers" nodejs/src/addon.cpp uWebSockets/src/*.cpp -o "$built"
