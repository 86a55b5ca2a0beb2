//! Named faults: ways in which this server can be wrong on purpose.
//!
//! A check that no broken server can trip proves nothing. Each fault breaks the clause it names and is hooked
//! into the server at one point, found by searching for its variant. A new one is a line here and that hook.

use std::fmt;
use std::str::FromStr;

/// What is known about one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The fault itself.
    pub fault: Fault,
    /// Its name on the command line.
    pub name: &'static str,
    /// The clauses of the conformance catalogue it breaks, the first one first of all, with spaces between; none if it
    /// shows in time alone.
    pub breaks: &'static str,
    /// What the server then does wrong, in one line.
    pub about: &'static str,
    /// Who can see it.
    pub shows: Shows,
}

/// Where a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// In the cases of the clauses that it breaks.
    AtOnce,
    /// Only now and then, or only while much goes on: no single case can be sure to see it.
    UnderLoad,
    /// Only on a clock. It breaks no clause.
    InTime,
}

macro_rules! faults {
    ($($variant:ident $name:literal $breaks:literal $about:literal $($shows:ident)?;)*) => {
        /// One way of being wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $(#[doc = $about] $variant,)* }

        /// Every fault there is, by area.
        pub const REGISTRY: &[Description] = &[
            $(Description {
                fault: Fault::$variant,
                name: $name,
                breaks: $breaks,
                about: $about,
                shows: faults!(@shows $($shows)?),
            },)*
        ];
    };
    (@shows) => { Shows::AtOnce };
    (@shows under_load) => { Shows::UnderLoad };
    (@shows in_time) => { Shows::InTime };
}

faults! {
    OpenEndsWithSeparator "open-ends-with-separator" "EIO-HS-01" "a separator follows the open packet of a polling handshake";
    OpenWithoutMaxPayload "open-without-max-payload" "EIO-HS-02" "the open packet does not tell maxPayload";
    OpenNumbersAsText "open-numbers-as-text" "EIO-HS-02" "the numbers of the open packet are texts";
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
    PollsCacheable "polls-cacheable" "EIO-HTTP-03" "responses do not forbid to be cached";
    UnknownSessionOpens "unknown-session-opens" "EIO-HTTP-04 EIO-ERR-01" "a poll with an unknown sid opens a session";
    PostToNobodyAccepted "post-to-nobody-accepted" "EIO-HTTP-05 EIO-ERR-01" "a POST with an unknown sid is answered with ok";
    PutIsPost "put-is-post" "EIO-HTTP-06" "a PUT with the sid of a session is taken for a POST";
    PreflightForgetsHeaders "preflight-forgets-headers" "EIO-HTTP-07" "a preflight is answered without Access-Control-Allow-Headers";
    NoCorsOnErrors "no-cors-on-errors" "EIO-HTTP-08" "error responses carry no Access-Control-Allow-Origin";
    ChunkedRefused "chunked-refused" "EIO-HTTP-09" "a chunked POST is answered with 411";
    PostDecodedByPiece "post-decoded-by-piece" "EIO-HTTP-10" "a POST that arrives in pieces is decoded piece by piece";
    CompressesUnasked "compresses-unasked" "EIO-HTTP-11" "a long poll is compressed for clients that cannot read it";
    CompressedUnagreed "compressed-unagreed" "EIO-HTTP-12" "long WebSocket messages are marked as compressed though no extension was agreed on";
    ConnectionNotKept "connection-not-kept" "EIO-HTTP-13" "the connection is closed after each response";
    LastRequestIsAbort "last-request-is-abort" "EIO-HTTP-14" "a poll with Connection: close counts as aborted";
    AbortedPollForgiven "aborted-poll-forgiven" "EIO-HTTP-15" "a session survives an aborted poll";
    PathPrefixMatches "path-prefix-matches" "EIO-HTTP-16" "paths that only begin like the endpoint's lead to it";
    PostBodyForgotten "post-body-forgotten" "EIO-LP-01" "a POST is answered with ok and its packets are forgotten";
    PayloadFirstPacketOnly "payload-first-packet-only" "EIO-LP-02" "only the first packet of a polling payload is processed";
    PayloadSixteenPackets "payload-sixteen-packets" "EIO-LP-02" "packets after the sixteenth of a polling payload are forgotten";
    PayloadReversed "payload-reversed" "EIO-LP-02" "a polling payload is processed from its end";
    PollWithoutSeparators "poll-without-separators" "EIO-LP-03" "the packets in the answer to a poll are not separated";
    PollOnePacket "poll-one-packet" "EIO-LP-03" "a poll fetches one packet, however many wait";
    PollReversed "poll-reversed" "EIO-LP-03" "the packets in the answer to a poll come last first";
    PostBinaryRefused "post-binary-refused" "EIO-LP-04 EIO-LP-06" "a binary packet in a POST is taken for an invalid one";
    PollBase64ForUrls "poll-base64-for-urls" "EIO-LP-05" "binary packets are polled in the base64 alphabet for URLs";
    EmptyBinaryDropped "empty-binary-dropped" "EIO-LP-06" "an empty binary packet in a POST is skipped";
    PollReturnsEarly "poll-returns-early" "EIO-LP-07" "a poll with nothing to fetch is answered with a noop instead of waiting";
    UnpolledPacketsLost "unpolled-packets-lost" "EIO-LP-08" "what is sent while no poll is pending is lost";
    PayloadReadPastError "payload-read-past-error" "EIO-LP-10" "packets after an invalid one in a payload are processed";
    EmptyPacketTolerated "empty-packet-tolerated" "EIO-LP-11" "separators at the ends of a payload are skipped";
    SecondPollTolerated "second-poll-tolerated" "EIO-LP-12" "a second concurrent poll waits beside the first";
    SecondPostTolerated "second-post-tolerated" "EIO-LP-13" "a second concurrent POST is processed like any other";
    OctetStreamAccepted "octet-stream-accepted" "EIO-LP-14" "a POST of application/octet-stream is read as text";
    PostAsLatin1 "post-as-latin-1" "EIO-LP-15" "the body of a POST is read as Latin-1";
    PostNeedsContentType "post-needs-content-type" "EIO-LP-15" "a POST that is not declared as text is refused";
    MaxPayloadIgnored "max-payload-ignored" "EIO-LP-16" "request bodies longer than maxPayload are accepted";
    LongPostEndsSession "long-post-ends-session" "EIO-LP-17" "a request body longer than maxPayload ends the session";
    PostLimitOffByOne "post-limit-off-by-one" "EIO-LP-18" "a request body of exactly maxPayload bytes is refused";
    PollCutAtLimit "poll-cut-at-limit" "EIO-LP-19" "packets beyond maxPayload bytes in the answer to a poll are lost";
    SeparatorUnescaped "separator-unescaped" "EIO-LP-20" "an escaped record separator in JSON goes out to polls as a real one";
    PostWaitsForPoll "post-waits-for-poll" "EIO-LP-21" "a POST is not processed while a poll is pending";
    WebSocketJoinsPackets "websocket-joins-packets" "EIO-WS-01" "packets that wait share one WebSocket frame, joined as in a payload";
    WebSocketBinaryTyped "websocket-binary-typed" "EIO-WS-02" "the first byte of a binary WebSocket frame is taken for a packet type";
    FragmentsRefused "fragments-refused" "EIO-WS-03" "a fragmented WebSocket message closes the connection";
    WebSocketPingIgnored "websocket-ping-ignored" "EIO-WS-04" "a WebSocket ping is not answered with a pong";
    UnmaskedFrameAccepted "unmasked-frame-accepted" "EIO-WS-05" "a WebSocket frame without a mask is accepted";
    InvalidUtf8Skipped "invalid-utf-8-skipped" "EIO-WS-06" "a text frame that is not UTF-8 is skipped";
    WebSocketLimitIgnored "websocket-limit-ignored" "EIO-WS-07" "WebSocket messages longer than maxPayload are accepted";
    WebSocketLimitOffByOne "websocket-limit-off-by-one" "EIO-WS-08" "a WebSocket message of exactly maxPayload bytes is refused";
    InvalidPacketIgnored "invalid-packet-ignored" "EIO-WS-09 EIO-LP-09" "an invalid Engine.IO packet is skipped";
    LostConnectionKept "lost-connection-kept" "EIO-WS-10" "a WebSocket that broke off is only missed by the heartbeat";
    StrayPacketCloses "stray-packet-closes" "EIO-WS-11" "an open, upgrade or noop packet from a client closes the connection";
    WebSocketSessionPolled "websocket-session-polled" "EIO-WS-12" "a session on a WebSocket can be polled";
    SecondWebSocketTakesOver "second-websocket-takes-over" "EIO-WS-13 EIO-UP-10" "a second WebSocket with the same sid takes the session over";
    NoPing "no-ping" "EIO-HB-01" "the server never sends a ping";
    ConnectsUnasked "connects-unasked" "EIO-HS-20 SIO-NS-02" "the main namespace is joined without a CONNECT";
    EarlyPing "early-ping" "EIO-HS-20 EIO-HB-02" "a ping is sent right after the handshake";
    PingTimeoutIgnored "ping-timeout-ignored" "EIO-HB-04 EIO-HB-05" "a client that never answers pings is kept";
    PongForgotten "pong-forgotten" "EIO-HB-01 EIO-HB-06" "a pong does not stop the clock of the ping timeout";
    PingsTooOften "pings-too-often" "EIO-HB-02 EIO-HB-03" "pings come twice as often as announced";
    UpgradeDoublesPings "upgrade-doubles-pings" "EIO-HB-03" "an upgrade starts a second heartbeat beside the first";
    PingTimeoutShort "ping-timeout-short" "EIO-HB-05 EIO-HB-06" "a pong has to come within a quarter of the ping timeout";
    AnyPacketIsPong "any-packet-is-pong" "EIO-HB-07" "any packet counts as the answer to a ping";
    StrayPongCloses "stray-pong-closes" "EIO-HB-08" "a pong that answers no ping closes the connection";
    ClientPingAnswered "client-ping-answered" "EIO-HB-09" "a ping from the client is answered with a pong";
    PongContentRefused "pong-content-refused" "EIO-HB-10" "a pong with content closes the connection";
    UpgradeStopsPings "upgrade-stops-pings" "EIO-HB-11" "no pings are sent after an upgrade";
    UpgradeLeavesClock "upgrade-leaves-clock" "EIO-HB-11" "a forgotten clock ends an upgraded session after interval and timeout";
    TimeoutLeavesPoll "timeout-leaves-poll" "EIO-HB-12" "a poll that is pending at the ping timeout is never answered";
    HeartbeatsRunOut "heartbeats-run-out" "EIO-HB-13" "only eight sessions at a time have a heartbeat";
    PollingCloseIgnored "polling-close-ignored" "EIO-CL-01" "the close packet is ignored on polling";
    WebSocketCloseIgnored "websocket-close-ignored" "EIO-CL-02" "the close packet is ignored on WebSocket";
    CloseUntold "close-untold" "EIO-CL-03" "a client that is not polling when its session is closed never hears of it";
    CloseDropsQueue "close-drops-queue" "EIO-CL-04" "what waits for a client is lost when its session is closed";
    CloseFrameMissing "close-frame-missing" "EIO-CL-05" "a WebSocket ends without a close frame";
    ClosedSessionKept "closed-session-kept" "EIO-CL-06" "a session is still found by its sid after its WebSocket was closed";

    UpgradeKeepsPollWaiting "upgrade-keeps-poll-waiting" "EIO-UP-02" "a pending poll is not released while upgrading";
    UpgradeLosesPackets "upgrade-loses-packets" "EIO-UP-07" "packets buffered while upgrading are lost";
    UpgradeDoublesPackets "upgrade-doubles-packets" "SEM-OR-04" "packets buffered while upgrading are sent twice";
    UpgradeFailureSticks "upgrade-failure-sticks" "EIO-UP-15" "after a failed upgrade no further one is possible";
    ProbeAnsweredPlain "probe-answered-plain" "EIO-UP-01" "the probe of an upgrade is answered by a pong without its word";
    UpgradeReleasesOnePoll "upgrade-releases-one-poll" "EIO-UP-03" "only the first poll is released while upgrading";
    UpgradeReleasesUnasked "upgrade-releases-unasked" "EIO-UP-04" "polls are sent back as soon as a WebSocket stands, before any probe";
    NoopOnWebSocket "noop-on-websocket" "EIO-UP-05" "an upgraded WebSocket begins with a noop";
    UpgradePacketIgnored "upgrade-packet-ignored" "EIO-UP-06" "the packet that completes an upgrade is skipped";
    PostRefusedWhileUpgrading "post-refused-while-upgrading" "EIO-UP-08" "posts are refused from the moment a WebSocket stands";
    PollingAfterUpgrade "polling-after-upgrade" "EIO-UP-09" "polls and posts are still served after an upgrade";
    SecondCandidateReplacesFirst "second-candidate-replaces-first" "EIO-UP-11" "a second WebSocket puts the one that is upgrading out";
    WrongProbeEndsSession "wrong-probe-ends-session" "EIO-UP-12" "a WebSocket that does not begin with a probe costs the session";
    UpgradeWithoutProbeRefused "upgrade-without-probe-refused" "EIO-UP-13" "an upgrade without a probe is refused";
    FailedUpgradeEndsSession "failed-upgrade-ends-session" "EIO-UP-14" "a WebSocket that is lost while upgrading costs the session";
    UpgradeTimeoutIgnored "upgrade-timeout-ignored" "EIO-UP-16" "an upgrade may take for ever";
    PollForgottenByUpgrade "poll-forgotten-by-upgrade" "EIO-UP-17" "a poll that is pending when the upgrade completes is never answered";
    WebSocketRequestPolls "websocket-request-polls" "EIO-UP-18" "a WebSocket request without an upgrade header is served as a poll";
    OrphanWebSocket "orphan-websocket" "EIO-UP-19" "the end of a session leaves a WebSocket that is upgrading open";
    MalformedPacketIgnored "malformed-packet-ignored" "SIO-PK-12" "a malformed Socket.IO packet is skipped";
    UnknownTypeIgnored "unknown-type-ignored" "SIO-PK-04" "a packet of an unknown type is skipped";
    NamespacedIdLost "namespaced-id-lost" "SIO-PK-01" "the id of an event behind a namespace is not read";
    MainNamespaceWritten "main-namespace-written" "SIO-PK-02" "the main namespace is written out in events and answers";
    CountBehindNamespace "count-behind-namespace" "SIO-PK-02" "the attachment count is written behind the namespace";
    CommaDemanded "comma-demanded" "SIO-PK-03" "a packet that ends with its namespace is refused for want of a comma";
    EventPayloadIgnored "event-payload-ignored" "SIO-PK-05" "an event whose payload is not an array is skipped";
    EmptyEventIgnored "empty-event-ignored" "SIO-PK-06" "an event whose array is empty is skipped";
    MissingPayloadIgnored "missing-payload-ignored" "SIO-PK-07" "an event without a payload is skipped";
    EventNameIgnored "event-name-ignored" "SIO-PK-08" "an event whose name is neither text nor number is skipped";
    NumericNameRefused "numeric-name-refused" "SIO-PK-09" "an event with a number as its name closes the connection";
    ReservedNameIgnored "reserved-name-ignored" "SIO-PK-10" "an event with a reserved name is skipped";
    ReservedNameFires "reserved-name-fires" "SIO-PK-10" "an event with a reserved name runs the server's own handlers";
    ErrorNameFatal "error-name-fatal" "SIO-PK-11" "an event called error closes the connection";
    IllegalIdIgnored "illegal-id-ignored" "SIO-PK-13" "a packet with an id that is not a number is skipped";
    AckIdNarrowed "ack-id-narrowed" "SIO-PK-15" "acknowledgement ids are kept in 32 bits";
    LargeIdRefused "large-id-refused" "SIO-PK-16" "an id beyond 2^53 closes the connection";
    AckPayloadIgnored "ack-payload-ignored" "SIO-PK-17" "an acknowledgement whose payload is not an array is skipped";
    UnknownAckFatal "unknown-ack-fatal" "SIO-PK-18 SEM-AK-03 SEM-AK-04" "an acknowledgement that nobody waits for closes the connection";
    DisconnectPayloadIgnored "disconnect-payload-ignored" "SIO-PK-19" "a DISCONNECT with a payload is skipped";
    ConnectErrorIgnored "connect-error-ignored" "SIO-PK-20" "a CONNECT_ERROR from a client is skipped";
    DigitsTakenForId "digits-taken-for-id" "SIO-PK-21" "digits in the data of an event are taken for its id";
    NamespaceQueryCut "namespace-query-cut" "SIO-PK-22" "a query behind a namespace's name is cut off";
    AstralCharactersLost "astral-characters-lost" "SIO-PK-23" "characters beyond the basic plane become replacement characters";
    DeepNestingRefused "deep-nesting-refused" "SIO-PK-23" "arrays nested more than 64 deep close the connection";
    LongTextRefused "long-text-refused" "SIO-PK-23" "packets longer than 64 KiB close the connection";
    NumbersNarrowed "numbers-narrowed" "SIO-PK-24" "numbers are read as 32-bit floats";
    NullsDropped "nulls-dropped" "SIO-PK-24" "arguments that are null are dropped";
    ProtoKeyFatal "proto-key-fatal" "SIO-PK-25" "a key called __proto__ closes the connection";
    NothingBecomesNull "nothing-becomes-null" "SIO-PK-26" "an event without arguments arrives with null as its argument";
    RefusedEventHandled "refused-event-handled" "SIO-PK-27" "an event is handled before the rubbish behind it is seen";
    AttachmentReadAsText "attachment-read-as-text" "SIO-BIN-01" "attachments are read as UTF-8";
    BinaryAckAsText "binary-ack-as-text" "SIO-BIN-02" "binary in an acknowledgement is sent as base64 in the text";
    PlaceholderByPosition "placeholder-by-position" "SIO-BIN-04" "attachments are put in by order of arrival, whatever the placeholders say";
    RepeatedPlaceholderNull "repeated-placeholder-null" "SIO-BIN-05" "the second placeholder for the same attachment becomes null";
    NestedPlaceholderIgnored "nested-placeholder-ignored" "SIO-BIN-06" "placeholders inside of arguments stay placeholders";
    AttachmentsLate "attachments-late" "SIO-BIN-07" "attachments are sent a moment after their header";
    TextForAttachmentIgnored "text-for-attachment-ignored" "SIO-BIN-08" "a text message in place of an attachment is skipped";
    StrayAttachmentIgnored "stray-attachment-ignored" "SIO-BIN-09" "a binary message that nobody announced is skipped";
    IllegalPlaceholderIgnored "illegal-placeholder-ignored" "SIO-BIN-10" "an event with a placeholder for no attachment is skipped";
    AttachmentCountIgnored "attachment-count-ignored" "SIO-BIN-11" "a packet with an illegal attachment count is skipped";
    AttachmentLimitMissing "attachment-limit-missing" "SIO-BIN-12" "a packet with too many attachments does not close the connection";
    UnusedAttachmentRefused "unused-attachment-refused" "SIO-BIN-13" "an attachment without a placeholder closes the connection";
    ZeroAttachmentsIgnored "zero-attachments-ignored" "SIO-BIN-14" "a binary packet that announces no attachments is skipped";
    EmptyAttachmentRefused "empty-attachment-refused" "SIO-BIN-15" "an attachment without content closes the connection";
    LongAttachmentCut "long-attachment-cut" "SIO-BIN-16" "attachments are cut off at 64 KiB";
    PlaceholderInTextFatal "placeholder-in-text-fatal" "SIO-BIN-17" "what looks like a placeholder in a text packet closes the connection";
    BinaryNamespaceLost "binary-namespace-lost" "SIO-BIN-18" "binary packets are sent without their namespace";
    UnhandledBinaryFatal "unhandled-binary-fatal" "SIO-BIN-19" "a binary event that nobody handles closes the connection";
    HalfEventHandled "half-event-handled" "SIO-BIN-20" "an event whose attachments never came is handled when the connection ends";
    FurtherArgumentsLost "further-arguments-lost" "SIO-EV-01" "only the first argument of an event arrives";
    AckNamespaceLost "ack-namespace-lost" "SIO-EV-02" "acknowledgements are sent without their namespace";
    AckDataLost "ack-data-lost" "SIO-EV-02" "acknowledgements are sent without their data";
    AckIdShared "ack-id-shared" "SIO-EV-04" "events that are under way together are all answered under the id of the latest";
    UnhandledEventAnswered "unhandled-event-answered" "SIO-EV-05" "an event that nobody handles is acknowledged";
    AckIdOnlyOnce "ack-id-only-once" "SIO-EV-06" "an id that was used before is not acknowledged again";
    AckIdMixesNamespaces "ack-id-mixes-namespaces" "SIO-EV-07" "an id used in two namespaces is answered in the first";
    EventWithoutIdAnswered "event-without-id-answered" "SIO-EV-08" "an event without an id is acknowledged";
    EventsOvertake "events-overtake" "SIO-EV-09" "every tenth event is handled later than those behind it";
    EventBeforeConnectIgnored "event-before-connect-ignored" "SIO-NS-11 SIO-NS-16 SIO-NS-21 SEM-MW-06" "an event to a namespace that was not joined is skipped";
    ConnectTimeoutIgnored "connect-timeout-ignored" "SIO-NS-12" "a connection that joins no namespace is kept";
    DuplicateConnectTolerated "duplicate-connect-tolerated" "SIO-NS-15" "a second CONNECT to a joined namespace is skipped";
    AuthMissing "auth-missing" "SIO-NS-03" "the auth payload of a CONNECT is lost";
    SidSharedAcrossNamespaces "sid-shared-across-namespaces" "SIO-NS-09 SEM-NS-03" "the sockets of one connection have the same id in every namespace";
    SidIsEngineSid "sid-is-engine-sid" "SIO-NS-10" "the Engine.IO session id is used as socket id";
    ConnectReplyWithoutSid "connect-reply-without-sid" "SIO-NS-01" "the sid in the answer to a CONNECT is empty";
    AbsentAuthIsNull "absent-auth-is-null" "SIO-NS-03" "a CONNECT without a payload has the auth payload null";
    ConnectPayloadUnchecked "connect-payload-unchecked" "SIO-NS-04" "a CONNECT whose payload is no object is accepted";
    ConnectReplyToMain "connect-reply-to-main" "SIO-NS-05" "the answer to a CONNECT does not name the namespace";
    MainNamespaceRequired "main-namespace-required" "SIO-NS-06" "other namespaces are closed to who is not in the main one";
    ConnectErrorAsText "connect-error-as-text" "SIO-NS-07" "a refusal is a bare text instead of an object";
    UnknownNamespaceReworded "unknown-namespace-reworded" "SIO-NS-07" "an unknown namespace is refused in other words";
    ConnectErrorCloses "connect-error-closes" "SIO-NS-08 SEM-MW-04" "a refused CONNECT ends the whole connection";
    RefusedConnectCounts "refused-connect-counts" "SIO-NS-13" "a refused CONNECT, too, stops the connect timeout";
    ConnectTimeoutNotStopped "connect-timeout-not-stopped" "SIO-NS-14" "the connect timeout hits who joined a namespace, too";
    DisconnectAnswered "disconnect-answered" "SIO-NS-17" "a DISCONNECT is answered with another one";
    LeaveClosesConnection "leave-closes-connection" "SIO-NS-18 SEM-NS-04" "a client that leaves one namespace is put out of all";
    LeaveHalfDone "leave-half-done" "SIO-NS-19 SIO-NS-20" "a connection goes on counting a namespace that was left as joined";
    FirstNamespaceHearsAll "first-namespace-hears-all" "SIO-NS-22 SEM-NS-01" "every event goes to the namespace that was joined first";
    EventsNameNoNamespace "events-name-no-namespace" "SIO-NS-22" "events to one client do not name their namespace";
    HastyConnectLost "hasty-connect-lost" "SIO-NS-23" "a CONNECT that comes before the answer to another is lost";
    NamespaceNameCut "namespace-name-cut" "SIO-NS-24" "names of namespaces are cut off after 64 bytes";
    ConnectIdRefused "connect-id-refused" "SIO-NS-25" "a CONNECT with an id closes the connection";
    ViolationTakenForClose "violation-taken-for-close" "SIO-NS-26" "who breaks the protocol is let go as if it had said goodbye itself";
    ByeToOneNamespace "bye-to-one-namespace" "SEM-NS-05" "only one namespace is told that the connection is put out";
    ByeClosesConnection "bye-closes-connection" "SEM-NS-04" "a socket that is put out takes the whole connection along";
    LossToldInOneNamespace "loss-told-in-one-namespace" "SEM-NS-06" "the loss of a connection is told in one of its namespaces only";
    DynamicNamespacesMerged "dynamic-namespaces-merged" "SEM-NS-07" "a broadcast reaches all namespaces of the same pattern";
    DynamicPatternLoose "dynamic-pattern-loose" "SEM-NS-08" "a namespace that only begins like the pattern is made as well";
    DynamicNamespaceTwice "dynamic-namespace-twice" "SEM-NS-09" "clients that ask at once for a new namespace get one each";
    GuardRefusesInVain "guard-refuses-in-vain" "SEM-MW-03" "a client is let in although the middleware has refused it";
    GuardOnCustom "guard-on-custom" "SEM-MW-05" "a middleware of one namespace is also asked by another";
    QueryLost "query-lost" "SEM-HK-01" "the query of the handshake is not kept";
    HeadersLost "headers-lost" "SEM-HK-02" "the headers of the handshake are not kept";
    QueryInAuth "query-in-auth" "SEM-HK-03" "the auth payload is the query of the handshake";
    AuthOfFirstNamespace "auth-of-first-namespace" "SEM-HK-03" "each namespace sees the auth payload of the first one";
    TransportOfHandshake "transport-of-handshake" "SEM-HK-04" "the transport reported is that of the handshake, for ever";
    GuardOpen "guard-open" "SEM-MW-01" "a middleware's refusal is ignored";
    GuardDataMissing "guard-data-missing" "SEM-MW-01" "the data of a middleware's refusal is lost";
    AckTwice "ack-twice" "SIO-EV-03" "an event can be acknowledged more than once";
    AckZeroUnanswered "ack-zero-unanswered" "SIO-PK-14" "an event with id 0 is not acknowledged";
    AnswersIgnored "answers-ignored" "SEM-AK-01 SEM-AK-05 SEM-AK-09 SEM-BA-01" "the answers of clients are never passed on";
    AnswersMatchedByOrder "answers-matched-by-order" "SEM-AK-04 SEM-AK-03" "an answer goes to the oldest open question, whatever its id";
    AnswerFirstArgumentOnly "answer-first-argument-only" "SEM-AK-05" "only the first argument of a client's answer is passed on";
    AckFromAnyNamespace "ack-from-any-namespace" "SEM-AK-07" "an acknowledgement is accepted in any namespace of the connection";
    LateTimeoutCloses "late-timeout-closes" "SEM-AK-08" "a question that outlives its socket closes the connection when its time is up";
    AckIdsRepeat "ack-ids-repeat" "SEM-AK-09" "all questions to clients have the same id";
    AckFromAnySocket "ack-from-any-socket" "SEM-AK-06" "an acknowledgement is accepted from any socket";
    AckTimeoutSilent "ack-timeout-silent" "SEM-AK-02" "an unanswered question to a client is never reported";
    BroadcastAckDropsPartial "broadcast-ack-drops-partial" "SEM-BA-02" "answers that came before a broadcast's timeout are lost";
    AttachmentsReversed "attachments-reversed" "SIO-BIN-03" "attachments are sent in reverse order";
    FirstAnswerIsAll "first-answer-is-all" "SEM-BA-01 SEM-BA-02" "a broadcast is taken for answered when the first answer is there";
    NobodyAskedTimesOut "nobody-asked-times-out" "SEM-BA-03" "a broadcast that asks nobody waits for answers until its time is up";
    DuplicateAnswersCount "duplicate-answers-count" "SEM-BA-04" "a client that answers a broadcast twice counts twice";
    LeaverForgiven "leaver-forgiven" "SEM-BA-06" "whoever leaves before answering a broadcast is taken for answered";
    IoLeavesOutAsker "io-leaves-out-asker" "SEM-BC-01 SEM-BC-06" "a broadcast of the server leaves out the socket that asked for it";
    EveryoneHearsTwice "everyone-hears-twice" "SEM-BC-01 SEM-BC-03" "a broadcast to the whole namespace is sent twice";
    EmitLeaks "emit-leaks" "SEM-BC-02" "an event for one socket goes to all of its namespace";
    RoomBroadcastIncludesSender "room-broadcast-includes-sender" "SEM-BC-05" "a broadcast from a socket to a room reaches that socket if it is a member";
    LastRoomOnly "last-room-only" "SEM-BC-07" "of several rooms addressed, only the last is reached";
    ExceptIdIgnored "except-id-ignored" "SEM-BC-10" "a socket to be left out by its id is not";
    ExceptAloneReachesNobody "except-alone-reaches-nobody" "SEM-BC-11" "a broadcast that only leaves out rooms reaches nobody";
    UnknownRoomIsEveryone "unknown-room-is-everyone" "SEM-BC-12" "a broadcast to a room without members reaches the whole namespace";
    UnnamedRoomIsEveryone "unnamed-room-is-everyone" "SEM-BC-13" "a broadcast to the room with the empty name reaches the whole namespace";
    RoomsStick "rooms-stick" "SEM-BC-14" "the rooms of a broadcast are added to those of the next";
    BinaryBroadcastSkipsPolling "binary-broadcast-skips-polling" "SEM-BC-15" "a broadcast with attachments does not reach those who poll";
    FirstArgumentOnly "first-argument-only" "SEM-BC-16" "of several arguments of an event only the first is sent";
    BroadcastBeforeConnect "broadcast-before-connect" "SEM-BC-18" "a socket hears broadcasts before its CONNECT is answered";
    RoomsEndWithMember "rooms-end-with-member" "SEM-BC-19" "when a socket ends, its rooms are emptied";
    FlaggedBroadcastLost "flagged-broadcast-lost" "SEM-BC-20 SEM-BC-21" "a broadcast with the flag local or compress is not sent";
    BroadcastIncludesSender "broadcast-includes-sender" "SEM-BC-03 SEM-BC-05 SEM-BA-05" "a broadcast from a socket also reaches that socket";
    RoomIgnored "room-ignored" "SEM-BC-04" "a broadcast to a room reaches the whole namespace";
    UnionDeliversTwice "union-delivers-twice" "SEM-BC-07" "a member of two addressed rooms gets the broadcast twice";
    ExceptIgnored "except-ignored" "SEM-BC-09" "rooms to be left out are not";
    NamespaceLeak "namespace-leak" "SEM-NS-02" "a broadcast reaches the other namespaces too";
    OwnRoomMissing "own-room-missing" "SEM-RM-01 SEM-BC-10 SEM-BC-17" "a socket is in no room of its own";
    JoinToggles "join-toggles" "SEM-RM-03" "joining a room a second time leaves it";
    JoinFirstOnly "join-first-only" "SEM-RM-04" "of several rooms to be joined, only the first is";
    LeaveEmptiesRoom "leave-empties-room" "SEM-RM-05 SEM-RM-06" "leaving a room takes everybody out of it";
    StrayLeaveUnanswered "stray-leave-unanswered" "SEM-RM-06" "leaving a room as a stranger is not acknowledged";
    OwnRoomNeeded "own-room-needed" "SEM-RM-07" "a socket that left the room of its own gets no events of its own";
    GhostMembers "ghost-members" "SEM-RM-08" "a socket that ended stays in its rooms";
    RoomsSpanNamespaces "rooms-span-namespaces" "SEM-RM-09" "a broadcast to a room reaches the room of that name in other namespaces too";
    RoomNamesFoldCase "room-names-fold-case" "SEM-RM-11" "rooms are joined under their names in small letters";
    SocketsJoinFirstOnly "sockets-join-first-only" "SEM-SK-01" "of several sockets to be put into a room, only the first is";
    SocketsLeaveAskerOnly "sockets-leave-asker-only" "SEM-SK-02" "of the sockets to be taken out of a room, only the one that asked is";
    SocketsDisconnectSilent "sockets-disconnect-silent" "SEM-SK-03" "sockets that are put out in bulk are not told";
    SocketsDisconnectCloses "sockets-disconnect-closes" "SEM-SK-03" "putting sockets out in bulk always closes their connections";
    SocketsDisconnectKeepsConnection "sockets-disconnect-keeps-connection" "SEM-SK-04" "putting sockets out in bulk never closes their connections";
    SocketsFilterIgnored "sockets-filter-ignored" "SEM-SK-05" "commands in bulk concern the whole namespace";
    VolatileNever "volatile-never" "SEM-VO-01" "a volatile event is never sent";
    VolatileBuffered "volatile-buffered" "SEM-VO-02" "a volatile event waits for a client that is not ready";
    VolatileWithoutAttachments "volatile-without-attachments" "SEM-VO-03" "a volatile event is sent without its attachments";
    LeaveIgnored "leave-ignored" "SEM-RM-05 SEM-RM-03 SEM-SK-02" "leaving a room does not take effect";
    JoinLate "join-late" "SEM-RM-02" "a join takes effect 100 ms after it was acknowledged";
    RoomsLostEarly "rooms-lost-early" "SEM-RM-08" "a socket's rooms are gone before its disconnection is told";
    OrderSwapped "order-swapped" "SEM-OR-01" "events to one client change places";
    PollReversesPackets "poll-reverses-packets" "SEM-OR-02" "the packets of one poll come in reverse order";
    BinaryOvertaken "binary-overtaken" "SEM-OR-03" "events with attachments are overtaken by others";
    PostsHandledLate "posts-handled-late" "SEM-OR-05" "what was posted is handled after what came by WebSocket since";
    AckOvertakesEvents "ack-overtakes-events" "SEM-OR-06" "an acknowledgement overtakes events that were emitted before it";
    BroadcastOrderDiffers "broadcast-order-differs" "SEM-OR-07" "the receivers of broadcasts get them in different orders";
    EventBeforeConnect "event-before-connect" "SEM-OR-08" "events reach a client before it is told that it is connected";
    EventLost "event-lost" "SEM-BC-01" "every hundredth event to a client is lost";
    DisconnectToldTwice "disconnect-told-twice" "SEM-DR-06" "the end of a socket is told twice";
    LeavingToldAsLoss "leaving-told-as-loss" "SEM-DR-01" "a client that leaves is told as a lost one";
    LossToldAsSilence "loss-told-as-silence" "SEM-DR-02" "a lost connection is told as a ping timeout";
    AbandonedPollToldAsLoss "abandoned-poll-told-as-loss" "SEM-DR-02" "an abandoned poll is told as a closed transport";
    SilenceToldAsLoss "silence-told-as-loss" "SEM-DR-03" "a ping timeout is told as a closed transport";
    ExpulsionToldAsLeaving "expulsion-told-as-leaving" "SEM-DR-04" "a client that is put out is told as one that left";
    GarbageToldAsLoss "garbage-told-as-loss" "SEM-DR-05" "what is no Engine.IO packet is told as a closed transport";
    BreachToldAsLoss "breach-told-as-loss" "SEM-DR-05" "a breach of the Socket.IO protocol is told as a closed transport";
    CrashOnMalformedPacket "crash-on-malformed-packet" "SEM-ROB-01" "a malformed packet costs every client its session, as a crash would";
    AbandonedSessionsLeak "abandoned-sessions-leak" "SEM-ROB-02" "a session that ends while nobody polls keeps its id";
    DisconnectUntold "disconnect-untold" "SEM-ROB-03" "the end of some sockets is not told";
    RecoveryMissesPacket "recovery-misses-packet" "SEM-CSR-03" "the first missed packet is left out of a recovery";
    RecoveryForgetsRooms "recovery-forgets-rooms" "SEM-CSR-02" "a recovered socket is in no room";
    OffsetMissing "offset-missing" "SEM-CSR-01" "events carry no offset although recovery is on";
    RecoveryGivesNewId "recovery-gives-new-id" "SEM-CSR-02" "a recovered socket has another id";
    RecoveryRepeats "recovery-repeats" "SEM-CSR-03" "what was missed is sent twice";
    RecoveryReplaysLate "recovery-replays-late" "SEM-CSR-04" "what was missed comes after the CONNECT";
    VolatileRemembered "volatile-remembered" "SEM-CSR-05" "volatile events are sent again after a recovery";
    RecoveryNeverExpires "recovery-never-expires" "SEM-CSR-06" "a socket can be recovered however late";
    UnknownPidRefused "unknown-pid-refused" "SEM-CSR-07" "a client that cannot be recovered is refused";
    LeaversRecovered "leavers-recovered" "SEM-CSR-08" "a socket that left or was put out can be recovered";
    RecoveryOnce "recovery-once" "SEM-CSR-09" "what was missed is forgotten once it was sent again";
    PidWithoutRecovery "pid-without-recovery" "SEM-CSR-10" "a private id is given although recovery is off";
    LivingRecovered "living-recovered" "SEM-CSR-11" "the state of a socket that is still connected can be taken over";

    DeliveryRarelyLost "delivery-rarely-lost" "SEM-BC-01" "one in ten thousand deliveries of broadcasts is lost" under_load;
    DeliveryRarelyDoubled "delivery-rarely-doubled" "SEM-BC-01" "one in ten thousand deliveries of broadcasts is made twice" under_load;
    DeliveryRarelySwapped "delivery-rarely-swapped" "SEM-OR-01" "one in ten thousand deliveries of broadcasts changes places with the next to that client" under_load;
    DeliveryRarelyMisdirected "delivery-rarely-misdirected" "SEM-BC-04" "one in ten thousand deliveries of broadcasts goes to an outsider, too" under_load;
    SenderRarelyIncluded "sender-rarely-included" "SEM-BC-03" "one in a hundred broadcasts from a socket also reaches that socket" under_load;
    LeaveLags "leave-lags" "SEM-RM-05" "a leave takes effect 50 ms after it was acknowledged" under_load;
    JoinLags "join-lags" "SEM-RM-02" "a join takes effect 50 ms after it was acknowledged" under_load;
    RoomRarelyMixedUp "room-rarely-mixed-up" "SEM-RM-09" "one in a hundred broadcasts to a room also reaches the room of that name in other namespaces" under_load;
    RecoveryRarelyMisses "recovery-rarely-misses" "SEM-CSR-03" "in one of ten recoveries one missed packet is left out" under_load;
    RecoveryRarelyRepeats "recovery-rarely-repeats" "SEM-CSR-03" "in one of ten recoveries one missed packet is sent twice" under_load;
    NewestRarelySkipped "newest-rarely-skipped" "SEM-BC-04" "one in ten broadcasts leaves out the newest of its receivers" under_load;

    Delay5Ms "delay-5ms" "" "every Socket.IO packet leaves 5 ms after it was sent" in_time;
    Delay20Ms "delay-20ms" "" "every Socket.IO packet leaves 20 ms after it was sent" in_time;
    Delay100Ms "delay-100ms" "" "every Socket.IO packet leaves 100 ms after it was sent" in_time;
    Freeze "freeze" "" "once, two seconds after the first event of any client, the whole server does nothing for one second" in_time;
}

/// A set of faults. Empty is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    bits: [u64; 8],
}

impl Faults {
    /// A healthy server.
    pub const NONE: Faults = Faults { bits: [0; 8] };

    /// The set with one more fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Faults {
        let number = fault as usize;
        self.bits[number / 64] |= 1 << (number % 64);
        self
    }

    /// Whether the server is to be wrong in this way.
    #[inline]
    pub fn has(&self, fault: Fault) -> bool {
        let number = fault as usize;
        self.bits[number / 64] & (1 << (number % 64)) != 0
    }

    /// Whether the server is healthy.
    pub fn is_empty(&self) -> bool {
        *self == Faults::NONE
    }

    /// The names in the set.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let faults = *self;
        REGISTRY.iter().filter(move |entry| faults.has(entry.fault)).map(|entry| entry.name)
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Faults {
        faults.into_iter().fold(Faults::NONE, Faults::with)
    }
}

/// No fault has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no fault is called {:?}; --list-faults shows them all", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Fault, UnknownFault> {
        let found = REGISTRY.iter().find(|entry| entry.name == name);
        found.map(|entry| entry.fault).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REGISTRY[*self as usize].name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_leads_to_its_fault_and_is_unique() {
        let mut names = HashSet::new();
        for entry in REGISTRY {
            assert_eq!(entry.name.parse(), Ok(entry.fault));
            assert_eq!(entry.fault.to_string(), entry.name);
            assert!(names.insert(entry.name), "{}", entry.name);
        }
        assert!(REGISTRY.len() <= 512, "the set has no room for more");
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = Faults::NONE.with(Fault::NoPing).with(Fault::RecoveryForgetsRooms);
        assert_eq!(set.names().collect::<Vec<_>>(), ["no-ping", "recovery-forgets-rooms"]);
        assert!(!set.has(Fault::AckTwice));
    }

    #[test]
    fn every_fault_is_hooked_somewhere() {
        let sources = walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        for entry in REGISTRY {
            let hook = format!("Fault::{:?}", entry.fault);
            let found = sources.iter().filter(|source| source.contains(&hook)).count();
            assert!(found >= 1, "{} has no hook", entry.name);
        }
    }

    fn walk(folder: &std::path::Path) -> Vec<String> {
        let mut sources = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources.extend(walk(&path));
            } else if path.extension().is_some_and(|ext| ext == "rs") && !path.ends_with("faults.rs") {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
        sources
    }
}
