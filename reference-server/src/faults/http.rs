//! Handshakes, refusals and HTTP: `EIO-HS`, `EIO-ERR`, `EIO-HTTP`.

macro_rules! http_faults {
    ($next:ident $($more:ident)*; $($before:tt)*) => { $next! { $($more)*; $($before)*
        OpenEndsWithSeparator "open-ends-with-separator" "EIO-HS-01" "a separator follows the open packet of a polling handshake";
        OpenWithoutMaxPayload "open-without-max-payload" "EIO-HS-21" "the open packet does not tell maxPayload";
        OpenNumbersAsText "open-numbers-as-text" "EIO-HS-02 EIO-HS-21" "the numbers of the open packet are texts";
        SecondsForMilliseconds "seconds-for-milliseconds" "EIO-HS-03" "the handshake gives the heartbeat timings in seconds";
        UpgradeNotOffered "upgrade-not-offered" "EIO-HS-04" "the polling handshake lists no upgrade though one is possible";
        WebSocketOffersUpgrade "websocket-offers-upgrade" "EIO-HS-04" "the WebSocket handshake offers an upgrade to WebSocket";
        MissingVersionAccepted "missing-version-accepted" "EIO-HS-05 EIO-HS-12" "a handshake without EIO opens a session";
        VersionUnchecked "version-unchecked" "EIO-HS-06 EIO-ERR-05" "a polling handshake with any EIO opens a session";
        VersionPrefixEnough "version-prefix-enough" "EIO-ERR-05" "an EIO that only begins with 4 opens a session";
        MissingTransportIsPolling "missing-transport-is-polling" "EIO-HS-07" "a handshake without transport opens a polling session";
        UnknownTransportIsPolling "unknown-transport-is-polling" "EIO-HS-08 EIO-ERR-00" "a handshake with an unknown transport opens a polling session";
        TransportNameCrashes "transport-name-crashes" "EIO-HS-08" "a transport called like a property that every object of JavaScript has is answered with 500";
        PostOpensSession "post-opens-session" "EIO-HS-09 EIO-ERR-02" "a handshake by POST opens a session";
        HandshakeMethodNotAllowed "handshake-method-not-allowed" "EIO-HS-10 EIO-HS-09 EIO-ERR-02" "a handshake by another method than GET is answered with 405";
        OpenPacketBinary "open-packet-binary" "EIO-HS-11" "the open packet is a binary frame on WebSocket";
        WebSocketVersionUnchecked "websocket-version-unchecked" "EIO-HS-12" "a WebSocket with any EIO becomes a session";
        WebSocketTransportUnchecked "websocket-transport-unchecked" "EIO-HS-13" "a WebSocket with an unknown transport or none becomes a session";
        WebSocketWithoutUpgradePolls "websocket-without-upgrade-polls" "EIO-HS-14 EIO-ERR-03" "a plain GET with transport=websocket opens a polling session";
        WebSocketAsPollingAccepted "websocket-as-polling-accepted" "EIO-HS-15" "a WebSocket with transport=polling becomes a session";
        SidCounted "sid-counted" "EIO-HS-16" "ids are counted";
        EmptySidUnknown "empty-sid-unknown" "EIO-HS-17" "an empty sid is looked for instead of being none";
        UnknownParameterRefused "unknown-parameter-refused" "EIO-HS-18" "a handshake with a query parameter of the client's own is refused";
        QueryOrderFixed "query-order-fixed" "EIO-HS-19" "a handshake whose query does not begin with EIO is refused";
        EngineErrorAsText "engine-error-as-text" "EIO-ERR-00 EIO-ERR-01 EIO-ERR-02 EIO-ERR-03 EIO-ERR-05 EIO-ERR-06" "errors are answered as plain text instead of JSON";
        ErrorCodeAsText "error-code-as-text" "EIO-ERR-00 EIO-ERR-01 EIO-ERR-02 EIO-ERR-03 EIO-ERR-05 EIO-ERR-06" "the code of an error is a text";
        UnknownSessionNotFound "unknown-session-not-found" "EIO-ERR-01 EIO-HTTP-04 EIO-HTTP-05" "an unknown sid is answered with 404";
        BadMethodIsBadRequest "bad-method-is-bad-request" "EIO-ERR-02" "a handshake by another method is refused with code 3";
        TransportMismatchUnknown "transport-mismatch-unknown" "EIO-ERR-03" "a sid asked for over another transport is called unknown";
        VersionIsBadRequest "version-is-bad-request" "EIO-ERR-05" "an unsupported version is refused with code 3";
        VersionCheckedFirst "version-checked-first" "EIO-ERR-06" "the version is judged before transport and sid";
        WebSocketRefusedLate "websocket-refused-late" "EIO-ERR-07" "a WebSocket is refused by being closed after 101";
        ContentLengthInCharacters "content-length-in-characters" "EIO-HTTP-01" "a poll is cut short: its length is counted in characters";
        PollCalledHtml "poll-called-html" "EIO-HTTP-01" "the content type of a poll is text/html";
        PostAnsweredEmpty "post-answered-empty" "EIO-HTTP-02" "a POST is answered with an empty body";
        PostUnanswered "post-unanswered" "EIO-HTTP-02" "a POST is processed and never answered";
        PollsCacheable "polls-cacheable" "EIO-HTTP-03" "responses do not forbid to be cached";
        UnknownSessionOpens "unknown-session-opens" "EIO-HTTP-04 EIO-ERR-01" "a poll with an unknown sid opens a session";
        PostToNobodyAccepted "post-to-nobody-accepted" "EIO-HTTP-05 EIO-ERR-01" "a POST with an unknown sid is answered with ok";
        PutIsPost "put-is-post" "EIO-HTTP-06" "a PUT with the sid of a session is taken for a POST";
        PreflightForgetsHeaders "preflight-forgets-headers" "EIO-HTTP-07" "a preflight is answered without Access-Control-Allow-Headers";
        NoCorsOnErrors "no-cors-on-errors" "EIO-HTTP-08" "error responses carry no Access-Control-Allow-Origin";
        ChunkedRefused "chunked-refused" "EIO-HTTP-09" "a chunked POST is answered with 501";
        PostDecodedByPiece "post-decoded-by-piece" "EIO-HTTP-10" "a POST that arrives in pieces is decoded piece by piece";
        CompressesUnasked "compresses-unasked" "EIO-HTTP-11" "a long poll is compressed for clients that cannot read it";
        CompressedUnagreed "compressed-unagreed" "EIO-HTTP-12" "long WebSocket messages are marked as compressed though no extension was agreed on";
        ConnectionNotKept "connection-not-kept" "EIO-HTTP-13" "the connection is closed after each response, and no response says so";
        LastRequestIsAbort "last-request-is-abort" "EIO-HTTP-14" "a poll with Connection: close counts as aborted";
        AbortedPollForgiven "aborted-poll-forgiven" "EIO-HTTP-15" "a session survives an aborted poll";
        TwoLengths "two-lengths" "EIO-HTTP-19" "the response to a poll tells two lengths";
        PathPrefixMatches "path-prefix-matches" "EIO-HTTP-16" "paths that only begin like the endpoint's lead to it";
    } };
}
