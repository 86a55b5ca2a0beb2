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
    /// The clauses of the conformance catalogue it breaks, the first one first of all, with spaces between.
    pub breaks: &'static str,
    /// What the server then does wrong, in one line.
    pub about: &'static str,
}

macro_rules! faults {
    ($($variant:ident $name:literal $breaks:literal $about:literal;)*) => {
        /// One way of being wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $(#[doc = $about] $variant,)* }

        /// Every fault there is, by area.
        pub const REGISTRY: &[Description] = &[
            $(Description { fault: Fault::$variant, name: $name, breaks: $breaks, about: $about },)*
        ];
    };
}

faults! {
    OpenWithoutType "open-without-type" "EIO-HS-01 EIO-HS-11" "the open packet is bare JSON without a packet type";
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
    SecondPollTolerated "second-poll-tolerated" "EIO-LP-12" "a second concurrent poll waits beside the first";
    SecondPostTolerated "second-post-tolerated" "EIO-LP-13" "a second concurrent POST is processed like any other";
    PayloadFirstPacketOnly "payload-first-packet-only" "EIO-LP-02" "only the first packet of a polling payload is processed";
    MaxPayloadIgnored "max-payload-ignored" "EIO-LP-16" "request bodies longer than maxPayload are accepted";
    NoCorsOnErrors "no-cors-on-errors" "EIO-HTTP-08" "error responses carry no Access-Control-Allow-Origin";
    ChunkedRefused "chunked-refused" "EIO-HTTP-09 EIO-HTTP-10" "a chunked POST is answered with 411";
    PostDecodedByPiece "post-decoded-by-piece" "EIO-HTTP-10" "a POST that arrives in pieces is decoded piece by piece";
    CompressesUnasked "compresses-unasked" "EIO-HTTP-11" "a long poll is compressed for clients that cannot read it";
    CompressedUnagreed "compressed-unagreed" "EIO-HTTP-12" "long WebSocket messages are marked as compressed though no extension was agreed on";
    ConnectionNotKept "connection-not-kept" "EIO-HTTP-13" "the connection is closed after each response";
    LastRequestIsAbort "last-request-is-abort" "EIO-HTTP-14" "a poll with Connection: close counts as aborted";
    AbortedPollForgiven "aborted-poll-forgiven" "EIO-HTTP-15" "a session survives an aborted poll";
    PathPrefixMatches "path-prefix-matches" "EIO-HTTP-16" "paths that only begin like the endpoint's lead to it";
    NoPing "no-ping" "EIO-HB-01" "the server never sends a ping";
    EarlyPing "early-ping" "EIO-HS-20" "a ping is sent right after the handshake";
    PingTimeoutIgnored "ping-timeout-ignored" "EIO-HB-04" "a client that never answers pings is kept";
    AnyPacketIsPong "any-packet-is-pong" "EIO-HB-07" "any packet counts as the answer to a ping";
    InvalidPacketIgnored "invalid-packet-ignored" "EIO-WS-09" "an invalid Engine.IO packet is skipped";
    PollingCloseIgnored "polling-close-ignored" "EIO-CL-01" "the close packet is ignored on polling";
    WebSocketCloseIgnored "websocket-close-ignored" "EIO-CL-02" "the close packet is ignored on WebSocket";
    CloseUntold "close-untold" "EIO-CL-03" "a client that is not polling when its session is closed never hears of it";
    CloseDropsQueue "close-drops-queue" "EIO-CL-04" "what waits for a client is lost when its session is closed";
    CloseFrameMissing "close-frame-missing" "EIO-CL-05" "a WebSocket ends without a close frame";
    ClosedSessionKept "closed-session-kept" "EIO-CL-06" "a session is still found by its sid after its WebSocket was closed";
    SecondWebSocketTakesOver "second-websocket-takes-over" "EIO-WS-13" "a second WebSocket with the same sid takes the session over";
    UpgradeKeepsPollWaiting "upgrade-keeps-poll-waiting" "EIO-UP-02" "a pending poll is not released while upgrading";
    UpgradeLosesPackets "upgrade-loses-packets" "EIO-UP-07" "packets buffered while upgrading are lost";
    UpgradeDoublesPackets "upgrade-doubles-packets" "SEM-OR-04" "packets buffered while upgrading are sent twice";
    UpgradeFailureSticks "upgrade-failure-sticks" "EIO-UP-15" "after a failed upgrade no further one is possible";
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
    UnknownAckFatal "unknown-ack-fatal" "SIO-PK-18" "an acknowledgement that nobody waits for closes the connection";
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
    EventBeforeConnectIgnored "event-before-connect-ignored" "SIO-NS-11" "an event to a namespace that was not joined is skipped";
    ConnectTimeoutIgnored "connect-timeout-ignored" "SIO-NS-12" "a connection that joins no namespace is kept";
    DuplicateConnectTolerated "duplicate-connect-tolerated" "SIO-NS-15" "a second CONNECT to a joined namespace is skipped";
    AuthMissing "auth-missing" "SIO-NS-03" "the auth payload of a CONNECT is lost";
    SidSharedAcrossNamespaces "sid-shared-across-namespaces" "SIO-NS-09" "the sockets of one connection have the same id in every namespace";
    SidIsEngineSid "sid-is-engine-sid" "SIO-NS-10" "the Engine.IO session id is used as socket id";
    GuardOpen "guard-open" "SEM-MW-01" "a middleware's refusal is ignored";
    GuardDataMissing "guard-data-missing" "SEM-MW-01" "the data of a middleware's refusal is lost";
    AckTwice "ack-twice" "SIO-EV-03" "an event can be acknowledged more than once";
    AckZeroUnanswered "ack-zero-unanswered" "SIO-PK-14" "an event with id 0 is not acknowledged";
    AckFromAnySocket "ack-from-any-socket" "SEM-AK-06" "an acknowledgement is accepted from any socket";
    AckTimeoutSilent "ack-timeout-silent" "SEM-AK-02" "an unanswered question to a client is never reported";
    BroadcastAckDropsPartial "broadcast-ack-drops-partial" "SEM-BA-02" "answers that came before a broadcast's timeout are lost";
    AttachmentsReversed "attachments-reversed" "SIO-BIN-03" "attachments are sent in reverse order";
    BroadcastIncludesSender "broadcast-includes-sender" "SEM-BC-03" "a broadcast from a socket also reaches that socket";
    RoomIgnored "room-ignored" "SEM-BC-04" "a broadcast to a room reaches the whole namespace";
    UnionDeliversTwice "union-delivers-twice" "SEM-BC-07" "a member of two addressed rooms gets the broadcast twice";
    ExceptIgnored "except-ignored" "SEM-BC-09" "rooms to be left out are not";
    NamespaceLeak "namespace-leak" "SEM-NS-02" "a broadcast reaches the other namespaces too";
    LeaveIgnored "leave-ignored" "SEM-RM-05" "leaving a room does not take effect";
    JoinLate "join-late" "SEM-RM-02" "a join takes effect 100 ms after it was acknowledged";
    RoomsLostEarly "rooms-lost-early" "SEM-RM-08" "a socket's rooms are gone before its disconnection is told";
    OrderSwapped "order-swapped" "SEM-OR-01" "events to one client change places";
    EventLost "event-lost" "SEM-BC-01" "every hundredth event to a client is lost";
    DisconnectToldTwice "disconnect-told-twice" "SEM-DR-06" "the end of a socket is told twice";
    RecoveryMissesPacket "recovery-misses-packet" "SEM-CSR-03" "the first missed packet is left out of a recovery";
    RecoveryForgetsRooms "recovery-forgets-rooms" "SEM-CSR-02" "a recovered socket is in no room";
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
