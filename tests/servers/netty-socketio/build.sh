#!/bin/sh
# Builds netty-socketio from its source against the libraries of Debian: libnetty-java, libjackson2-databind-java and libslf4j-java.
# Left out is what wants libraries that Debian has not (stores in Redis and Hazelcast, beans of Spring). Debian's netty is older than
# the one that netty-socketio asks for; one constructor has other arguments there.
#
# NETTY_SOCKETIO may name a folder with the source; otherwise it is cloned.
set -eu
cd "$(dirname "$0")"
release=2.0.14
java=/usr/share/java

mkdir -p target
if [ -n "${NETTY_SOCKETIO:-}" ]; then
    rm -rf target/source && cp -r "$NETTY_SOCKETIO" target/source
elif [ ! -d target/source ]; then
    git clone --quiet --depth 1 --branch "netty-socketio-$release" https://github.com/mrniko/netty-socketio target/source
fi

source=target/source/src/main/java
rm -f "$source/module-info.java"
find "$source" \( -name 'Spring*' -o -name 'Hazelcast*' -o -name 'Redisson*' \) -delete
cd "$source/com/corundumstudio/socketio"
sed -i -e '/import io.netty.handler.codec.http.HttpDecoderConfig;/d' -e '/public HttpDecoderConfig getHttpDecoderConfig/,/^    }/d' \
    Configuration.java
limits=configuration.getHttpRequestDecoderConfiguration
sed -i "s/new HttpRequestDecoder(configuration.getHttpDecoderConfig())/new HttpRequestDecoder($limits().getMaxInitialLineLength(), \
$limits().getMaxHeaderSize(), $limits().getMaxChunkSize())/" SocketIOChannelInitializer.java
cd - >/dev/null

rm -rf target/classes && mkdir target/classes
classes=$(printf '%s:' $java/netty-*.jar $java/jackson-annotations.jar $java/jackson-core.jar $java/jackson-databind.jar \
    $java/slf4j-api.jar $java/slf4j-nop.jar)target/classes
find "$source" -name '*.java' >target/files
javac -nowarn -encoding UTF-8 -cp "$classes" -d target/classes @target/files Fixture.java 2>&1 | grep -v '^Note' || true
[ -e target/classes/Fixture.class ] || { echo "Fixture.java does not compile" >&2; exit 1; }
echo "$classes" >target/classpath
