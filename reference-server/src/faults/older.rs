//! The version before: Engine.IO protocol v3 and Socket.IO protocol v4, `EIO3` and `SIO4`.

macro_rules! older_faults {
    ($next:ident $($more:ident)*; $($before:tt)*) => { $next! { $($more)*; $($before)*
        OlderVersionRefused "older-version-refused" "EIO3-HS-01" "a WebSocket handshake with EIO=3 is refused though it is allowed";
        OlderLengthsInBytes "older-lengths-in-bytes" "EIO3-PL-01" "the lengths in a payload of EIO=3 count bytes";
        OlderFirstPacketOnly "older-first-packet-only" "EIO3-PL-02" "only the first packet of a payload of EIO=3 is processed";
        OlderBytesRefused "older-bytes-refused" "EIO3-PL-03" "a payload of bytes is refused";
        OlderBytesCalledText "older-bytes-called-text" "EIO3-PL-04" "a payload of bytes is declared as text";
        OlderBase64Ignored "older-base64-ignored" "EIO3-PL-05" "a client that asks for base64 gets bytes";
        JsonpIgnored "jsonp-ignored" "EIO-HTTP-17 EIO3-PL-06" "the parameter j is ignored: polls bring plain payloads, and posts are read as such";
        JsonpWrongFunction "jsonp-wrong-function" "EIO-HTTP-17 EIO3-PL-06" "a poll calls the JavaScript function 0, whatever the parameter j says";
        JsonpUnescaped "jsonp-unescaped" "EIO-HTTP-17 EIO3-PL-06" "the payload with which a poll calls JavaScript has escaped quotes and nothing else escaped";
        JsonpFormUnread "jsonp-form-unread" "EIO-HTTP-17 EIO3-PL-07" "the form of a JSONP post is taken for the payload";
        JsonpNewlinesEscaped "jsonp-newlines-escaped" "EIO-HTTP-17 EIO3-PL-07" "the escapes of newlines in a JSONP post are not undone";
        OlderBinaryUntyped "older-binary-untyped" "EIO3-WS-01" "a binary frame for EIO=3 lacks its type";
        OlderBinaryReadUntyped "older-binary-read-untyped" "EIO3-WS-02" "the type of a binary frame of EIO=3 is taken for its content";
        OlderPingUnanswered "older-ping-unanswered" "EIO3-HB-01" "a ping of the client is not answered";
        OlderPongEmpty "older-pong-empty" "EIO3-HB-02" "the content of a client's ping is not sent back";
        OlderPingsToo "older-pings-too" "EIO3-HB-03" "the server pings clients of EIO=3 as well";
        OlderSilenceForgiven "older-silence-forgiven" "EIO3-HB-04" "a client of EIO=3 that never pings is kept";
        OlderClockRunsOn "older-clock-runs-on" "EIO3-HB-05" "a client of EIO=3 is dropped after interval and timeout though it pings";
        OlderMainNotJoined "older-main-not-joined" "SIO4-NS-01" "the main namespace is not joined unasked";
        OlderConnectRepliesObject "older-connect-replies-object" "SIO4-NS-02" "the reply to a CONNECT brings an object";
        OlderQueryUnread "older-query-unread" "SIO4-NS-03" "the query behind the name of a namespace is not kept";
        OlderErrorIsObject "older-error-is-object" "SIO4-NS-04" "an unknown namespace is refused with an object in the place of a text";
        OlderErrorCloses "older-error-closes" "SIO4-NS-05" "an ERROR ends the connection";
        OlderIdsOfToday "older-ids-of-today" "SIO4-NS-06" "the id of a socket is not that of its session";
        OlderHandshakeQueryUnread "older-handshake-query-unread" "SIO4-NS-07" "credentials in the query of the handshake do not reach the main namespace";
    } };
}
