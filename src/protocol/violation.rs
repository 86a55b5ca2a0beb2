//! What a peer did against the protocol, and the rule it broke.

use std::fmt;

/// What a peer did against the protocol: a finding, not our error.
///
/// Its `Display` is one sentence: the requirement, what came instead, and where the requirement is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that was broken.
    pub rule: Rule,
    /// What came instead: a fragment that begins in lower case and has no full stop. Text of the peer in it is
    /// shortened and has its control characters escaped.
    pub detail: String,
}

impl Violation {
    pub(super) fn new(rule: Rule, detail: impl Into<String>) -> Violation {
        Violation { rule, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.rule.requirement(), self.detail, self.rule.spec())
    }
}

/// Text of the peer for the detail of a violation: quoted, escaped, cut after sixty characters.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}… of {} bytes", &text[..end], text.len()),
    }
}

/// [`excerpt`] for bytes that need not be UTF-8.
pub(super) fn excerpt_bytes(bytes: &[u8]) -> String {
    // At most four bytes a character: enough for the sixty that are shown.
    let shown = &bytes[..bytes.len().min(244)];
    let text = String::from_utf8_lossy(shown);
    if shown.len() == bytes.len() {
        excerpt(&text)
    } else {
        let end = text.char_indices().nth(60).map_or(text.len(), |(at, _)| at);
        format!("{:?}… of {} bytes", &text[..end], bytes.len())
    }
}

impl Violation {
    /// The same, as the rule of polls that is broken by a body that is no payload.
    pub fn of_poll(self, is_empty: bool, has_said_goodbye: bool) -> Violation {
        let empty = || "a poll was answered with status 200 and an empty body".to_owned();
        match (self.rule, is_empty, has_said_goodbye) {
            (Rule::EnginePacketType, true, true) => Violation::new(Rule::PollAtClose, empty()),
            (Rule::EnginePacketType, true, false) => Violation::new(Rule::PollEmpty, empty()),
            (Rule::EnginePacketType, false, _) => Violation { rule: Rule::PollPacket, ..self },
            _ => self,
        }
    }
}

impl Rule {
    /// Whether nothing is lost when it is broken: the server said too much, or nothing where nothing was due, or what a usual
    /// value stands in for.
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Rule::HandshakeField
                | Rule::PingUnasked
                | Rule::PacketPayload
                | Rule::HttpLineEnd
                | Rule::NamespaceUnknown
                | Rule::PollEmpty
                | Rule::PollAtClose
                | Rule::PacketUnexpected
                | Rule::AckTwice
                | Rule::NamespaceUnasked
                | Rule::EventEarly
        )
    }
}

/// Builds [`Rule`] from one line per rule, so that its name, its source and its wording cannot drift apart.
macro_rules! rules {
    ($($variant:ident, $name:literal, $spec:literal, $requirement:literal;)+) => {
        /// A rule of the protocol that these codecs check.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Rule {
            $(#[doc = concat!($requirement, " (", $spec, ").")] $variant,)+
        }

        impl Rule {
            /// Every rule, layer by layer.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),+];

            /// A stable word for counters and reports, `layer.subject`.
            pub fn name(&self) -> &'static str {
                match self { $(Rule::$variant => $name),+ }
            }

            /// Where the rule is written. Limits are our own and say so.
            pub fn spec(&self) -> &'static str {
                match self { $(Rule::$variant => $spec),+ }
            }

            /// What the rule demands, as a fragment.
            pub fn requirement(&self) -> &'static str {
                match self { $(Rule::$variant => $requirement),+ }
            }
        }
    };
}

rules! {
    EnginePacketType, "engine.type", "Engine.IO v4, Protocol",
        "a packet begins with its type, one digit from 0 to 6";
    HandshakeJson, "engine.handshake", "Engine.IO v4, Handshake",
        "the payload of the open packet is a JSON object";
    HandshakeField, "engine.handshake-field", "Engine.IO v4, Handshake",
        "the open packet names sid, upgrades, pingInterval, pingTimeout and maxPayload with usable values";
    PacketPayload, "engine.packet-payload", "Engine.IO v4, Heartbeat",
        "a ping of the heartbeat and a noop are sent as their type alone";
    PayloadBase64, "engine.base64", "Engine.IO v4, Packet encoding, HTTP long-polling",
        "a binary packet in a payload is b followed by padded standard base64";

    BinaryTyped, "engine.binary-typed", "Engine.IO v4, Packet encoding",
        "a binary message is its bytes alone, without a packet type before them";
    CloseUntold, "engine.close-untold", "Engine.IO v4, Protocol",
        "who polls is told when the server ends the session";
    RefusalStatus, "engine.refusal-status", "Engine.IO v4, HTTP long-polling",
        "a request that the server cannot serve is refused with status 400";

    FrameType, "engine.frame-type", "Engine.IO v3, Packet",
        "a binary message begins with the byte 4, the type of a message";
    PingUnasked, "engine.ping-unasked", "Engine.IO v3, Packet",
        "pings are sent by the client, and none by the server";
    PayloadLength, "engine.payload-length", "Engine.IO v3, Payload",
        "each packet of a payload stands behind its length: in UTF-16 code units and a colon, or in bytes in the binary form";

    PacketType, "socket.type", "Socket.IO v5, Exchange protocol",
        "a packet begins with its type, one digit from 0 to 6";
    AttachmentCount, "socket.attachment-count", "Socket.IO v5, Format",
        "the type of a binary packet is followed by the number of its attachments and a hyphen";
    Namespace, "socket.namespace", "Socket.IO v5, Format",
        "a namespace begins with a slash, ends with a comma and is left out for the main namespace";
    AckId, "socket.ack-id", "Socket.IO v5, Acknowledgement",
        "an acknowledgement id is an integer, and an acknowledgement carries the id of its event";
    Json, "socket.json", "Socket.IO v5, Format",
        "the payload is JSON";
    EventPayload, "socket.event-payload", "Socket.IO v5, Sending and receiving data",
        "the payload of an event is a non-empty array that begins with the event's name";
    AckPayload, "socket.ack-payload", "Socket.IO v5, Acknowledgement",
        "the payload of an acknowledgement is an array";
    ConnectPayload, "socket.connect-payload", "Socket.IO v5, Connection to a namespace",
        "the payload of a CONNECT packet, if any, is an object";
    ConnectErrorPayload, "socket.connect-error-payload", "Socket.IO v5, Connection to a namespace",
        "the payload of a CONNECT_ERROR packet is an object with a message";
    DisconnectPayload, "socket.disconnect-payload", "Socket.IO v5, Disconnection from a namespace",
        "a DISCONNECT packet has no payload";
    Spelling, "socket.spelling", "Socket.IO v5, Format",
        "a packet is spelled in the one way the format gives";
    Placeholder, "socket.placeholder", "Socket.IO v5, Sending and receiving data",
        "the placeholders of a binary packet are numbered from 0 to one less than its attachments";
    AttachmentDue, "socket.attachment-due", "Socket.IO v5, Format",
        "the attachments follow their packet before any other message";
    AttachmentStray, "socket.attachment-stray", "Socket.IO v5, Format",
        "a binary message belongs to the binary packet before it";
    Msgpack, "parser.msgpack", "socket.io-msgpack-parser 3",
        "with the parser msgpack each packet is one binary message, a MessagePack map with a type and a namespace";
    AttachmentOrder, "socket.attachment-order", "Socket.IO v5, Packet encoding",
        "attachments are sent in the order of their numbers";
    NumberText, "socket.number-text", "Socket.IO v5, Packet encoding",
        "a number comes as a number";
    AttachmentLimit, "limit.attachments", "limit of this client",
        "the attachments of one packet stay within this client's limits";

    PollPacket, "engine.poll-packet", "Engine.IO v4, HTTP long-polling",
        "the body of a poll is packets with separators between them";
    Jsonp, "engine.jsonp", "Engine.IO v3, JSONP",
        "a poll with the parameter j is answered with a call of `___eio[j]` that brings the payload as a string";
    PollEmpty, "engine.poll-empty", "Engine.IO v4, HTTP long-polling",
        "a poll brings at least one packet";
    PollAtClose, "engine.poll-at-close", "Engine.IO v4, HTTP long-polling",
        "a poll that is pending when its client says goodbye brings a packet, a noop for example";
    PollAnswer, "engine.poll-answer", "Engine.IO v4, HTTP long-polling",
        "a poll is answered with status 200 as soon as there is something to fetch";
    PostPackets, "engine.post-packets", "Engine.IO v4, Packet encoding, HTTP long-polling",
        "a post may hold any number of packets";
    PostAnswer, "engine.post-answer", "Engine.IO v4, HTTP long-polling",
        "a post that was taken is answered with status 200 and the body ok";
    PostBinary, "engine.post-binary", "Engine.IO v4, Packet encoding, HTTP long-polling",
        "a post may bring binary messages";
    PostLength, "engine.post-length", "Engine.IO v4, Handshake",
        "a post may be as long as maxPayload says";
    PingMissing, "engine.ping", "Engine.IO v4, Heartbeat",
        "the server sends a ping at every interval";
    SessionLost, "engine.session-lost", "Engine.IO v4, Heartbeat",
        "a session lasts as long as its client answers the pings";
    PongMissing, "engine.pong", "Engine.IO v3, Packet, 2 ping",
        "the server answers a ping with a pong";
    UpgradeProbe, "engine.upgrade-probe", "Engine.IO v4, Upgrade",
        "a WebSocket for a polling session is opened, and its `2probe` is answered with `3probe`";
    UpgradeLoss, "engine.upgrade-loss", "Engine.IO v4, Upgrade",
        "nothing is lost by an upgrade";
    UpgradeRelease, "engine.upgrade-release", "Engine.IO v4, Upgrade",
        "the poll and the post that are under way are answered while the session upgrades";
    PacketUnexpected, "engine.unexpected", "Engine.IO v4, Protocol",
        "a server sends open once and first, and never pong or upgrade unasked";
    PayloadUtf8, "engine.payload-utf8", "Engine.IO v4, Packet encoding, HTTP long-polling",
        "the body of a poll is UTF-8";
    NamespaceUnknown, "socket.namespace-unknown", "Socket.IO v5, Connection to a namespace",
        "a server speaks only in namespaces that the client has asked for";
    NamespaceAlone, "socket.namespace-alone", "Socket.IO documentation, Namespaces",
        "a client can be in several namespaces over one connection";
    EndUntold, "socket.end-untold", "Socket.IO v5, Disconnection from a namespace",
        "who is put out of a namespace is told so with DISCONNECT";
    LeaveIgnored, "socket.leave-ignored", "Socket.IO v5, Disconnection from a namespace",
        "a client that sends DISCONNECT is no member of the namespace any more";
    NamespaceUnasked, "socket.namespace-unasked", "Socket.IO v5, Connection to a namespace",
        "a server lets nobody into a namespace who has not asked for it";
    AnswerAstray, "socket.answer-astray", "Socket.IO v5, Connection to a namespace",
        "the answer to a CONNECT names the namespace that was asked for";
    RefusalKind, "socket.refusal-kind", "Socket.IO v5, Connection to a namespace",
        "who is not let into a namespace is told so with CONNECT_ERROR";
    EventEarly, "socket.early", "Socket.IO v5, Connection to a namespace",
        "no event of a namespace comes before the reply to CONNECT that lets the client in";
    ConnectReply, "socket.connect-reply", "Socket.IO v5, Connection to a namespace",
        "the reply to CONNECT is an object with the text sid";
    ConnectUnanswered, "socket.connect-unanswered", "Socket.IO v5, Connection to a namespace",
        "a CONNECT is answered with CONNECT or with CONNECT_ERROR";
    SidTaken, "socket.sid-taken", "Socket.IO v5, Connection to a namespace",
        "the sid in the reply to CONNECT is the id of the new socket, and no other client has it";
    SidShared, "socket.sid-shared", "Socket.IO v5, History: difference between v5 and v4",
        "a client has another id in each namespace";
    AckUnknown, "socket.ack-unknown", "Socket.IO v5, Acknowledgement",
        "an acknowledgement answers an event of the same namespace that asked for one";
    AckMissing, "socket.ack-missing", "Socket.IO v5, Acknowledgement",
        "an event that was handled and asks for an acknowledgement gets one";
    ArgumentsLost, "socket.arguments-lost", "Socket.IO v5, Sending and receiving data",
        "an event brings all its arguments";
    BinaryLost, "socket.binary-lost", "Socket.IO v5, Packet encoding",
        "bytes in an event or an acknowledgement arrive as they were sent";
    TextSpoilt, "socket.text-spoilt", "Socket.IO v5, Packet encoding",
        "a text arrives with all its characters";
    ValueSpoilt, "socket.value-spoilt", "Socket.IO v5, Packet encoding",
        "numbers, truth values, null and what is empty arrive as they were sent";
    AckSpoilt, "socket.ack-spoilt", "Socket.IO v5, Acknowledgement",
        "an acknowledgement brings the data that were given to it";
    AckBytes, "socket.ack-bytes", "Socket.IO v5, Acknowledgement",
        "bytes in an acknowledgement arrive as they were given to it";
    EventOrder, "socket.event-order", "Socket.IO documentation, Delivery guarantees",
        "what is emitted to a client first arrives first";
    EventLost, "socket.event-lost", "Socket.IO documentation, Delivery guarantees",
        "what is emitted to a client arrives as long as its connection lasts";
    EventTwice, "socket.event-twice", "Socket.IO documentation, Delivery guarantees",
        "an event arrives at most once";
    AckTwice, "socket.ack-twice", "Socket.IO v5, Acknowledgement",
        "an event is acknowledged once";

    Subprotocol, "websocket.subprotocol", "RFC 6455, section 4.1",
        "a handshake is answered with no subprotocol that was not offered";
    HandshakeAccept, "websocket.accept", "RFC 6455, section 4.2.2",
        "a WebSocket handshake is accepted by the answer to its key in Sec-WebSocket-Accept";
    Frames, "websocket.frames", "RFC 6455, section 4.2.2",
        "after its 101 a server writes WebSocket frames and nothing else";
    FrameReservedBits, "websocket.rsv", "RFC 6455, section 5.2",
        "the reserved bits are zero unless an extension was negotiated";
    FrameOpcode, "websocket.opcode", "RFC 6455, section 5.2",
        "the opcode is one of continuation, text, binary, close, ping and pong";
    FrameMask, "websocket.mask", "RFC 6455, section 5.1",
        "a server does not mask its frames";
    FrameLength, "websocket.length", "RFC 6455, section 5.2",
        "the payload length is written in as few bytes as possible and below 2^63";
    FrameControl, "websocket.control", "RFC 6455, section 5.5",
        "a control frame is not fragmented and carries at most 125 bytes";
    FrameSequence, "websocket.fragments", "RFC 6455, section 5.4",
        "continuation frames, and nothing else but control frames, follow an unfinished message";
    MessageUtf8, "websocket.utf8", "RFC 6455, section 8.1",
        "a text message and the reason of a close are UTF-8";
    Extension, "websocket.extension", "RFC 6455, section 4.1, and RFC 7692, section 7.1",
        "a handshake is answered with no extension but the one that was offered, and its own parameters";
    Deflate, "websocket.deflate", "RFC 7692, section 7.2.2",
        "a compressed message is a stream of DEFLATE without its last four bytes";
    CloseCode, "websocket.close-code", "RFC 6455, sections 5.5.1 and 7.4",
        "a close frame is empty or begins with a status code that may be sent";
    StreamLength, "webtransport.length", "engine.io-parser 5, createPacketDecoderStream",
        "a packet stands behind its length, which is from 1 to 2^53 - 1";
    Http3, "webtransport.http3", "RFC 9114 and draft-ietf-webtrans-http3",
        "a server offers WebTransport in its settings and answers its CONNECT";
    StreamUtf8, "webtransport.utf8", "engine.io-parser 5, createPacketDecoderStream",
        "a packet that is marked as text is UTF-8";
    MessageLimit, "limit.message", "limit of this client",
        "a message stays within this client's limit";

    HttpLineEnd, "http.line-end", "RFC 9112, section 2.2",
        "the lines of a head end with CR and LF, though a client may put up with LF alone";
    HttpHead, "http.head", "RFC 9112, sections 4 and 5",
        "a response begins with a status line and well-formed header fields";
    HttpBodyLength, "http.body-length", "RFC 9112, section 6",
        "the length of a response is given once and unambiguously";
    HttpChunk, "http.chunk", "RFC 9112, section 7.1",
        "a chunk is its size in hexadecimal, a line end, as many bytes, and a line end";
    HttpTruncated, "http.truncated", "RFC 9112, section 8",
        "a response is complete before the connection closes";
    HttpLimit, "limit.response", "limit of this client",
        "a response stays within this client's limits";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_says_where_it_is_written() {
        let names: HashSet<&str> = Rule::ALL.iter().map(Rule::name).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert!(rule.name().contains('.'), "{rule:?}");
            assert!(!rule.requirement().ends_with('.'), "{rule:?}");
            let source = [
                "Engine.IO v4, ",
                "Engine.IO v3, ",
                "Socket.IO v5, ",
                "Socket.IO documentation, ",
                "RFC ",
                "limit of this client",
                "socket.io-msgpack-",
                "engine.io-parser 5, ",
            ];
            assert!(source.iter().any(|source| rule.spec().starts_with(source)), "{rule:?}");
        }
    }

    #[test]
    fn text_of_the_peer_is_told_short_and_without_control_characters() {
        assert_eq!(excerpt("a\u{1b}\n"), r#""a\u{1b}\n""#);
        assert_eq!(excerpt(&"€".repeat(60)), format!("{:?}", "€".repeat(60)));
        assert_eq!(excerpt(&"€".repeat(61)), format!("{:?}… of 183 bytes", "€".repeat(60)));
        assert_eq!(excerpt_bytes(b"a\xff"), "\"a\u{fffd}\"");
        assert_eq!(excerpt_bytes(&[b'x'; 61]), format!("{:?}… of 61 bytes", "x".repeat(60)));
        assert_eq!(excerpt_bytes(&[b'x'; 1000]), format!("{:?}… of 1000 bytes", "x".repeat(60)));
    }
}
