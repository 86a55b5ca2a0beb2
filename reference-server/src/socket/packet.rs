//! The Socket.IO packet grammar: `<type>[<attachments>-][<namespace>,][<id>][<payload>]`.
//!
//! Spec: Socket.IO protocol v5, "Packet encoding". Text in, borrowed parts out; the payload is checked for
//! the shape its type demands but stays text. Neighbours: `decoder` adds the binary frames that follow,
//! `args` splits the payload into arguments.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Packet types, by their digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `0`: join a namespace, or the answer to that.
    Connect,
    /// `1`: leave a namespace.
    Disconnect,
    /// `2`: an event.
    Event,
    /// `3`: the answer to an event with an id.
    Ack,
    /// `4`: a refused [`Kind::Connect`].
    ConnectError,
    /// `5`: an event followed by binary frames.
    BinaryEvent,
    /// `6`: an answer followed by binary frames.
    BinaryAck,
}

macro_rules! parse_errors {
    ($($variant:ident $text:literal;)*) => {
        /// Why a packet was not understood.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ParseError { $(#[doc = $text] $variant,)* }

        impl ParseError {
            /// The reason as a fragment that reads well after "broke the protocol:".
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(ParseError::$variant => $text,)* }
            }
        }
    };
}

parse_errors! {
    UnknownType "an unknown packet type";
    AttachmentCount "an illegal attachment count";
    NoAttachments "a binary packet that announces no attachments";
    TooManyAttachments "too many attachments";
    AckId "something other than digits as the id";
    Json "a payload that is not JSON";
    ConnectPayload "a CONNECT whose payload is not an object";
    DisconnectPayload "a DISCONNECT with a payload";
    ConnectErrorSent "a CONNECT_ERROR from a client";
    EventPayloadMissing "an event without a payload";
    EventPayload "an event whose payload is not an array";
    EventNameMissing "an event without a name";
    EventName "an event name that is neither a string nor a number";
    EventNameReserved "a reserved event name";
    AckPayload "an acknowledgement whose payload is not an array";
    TextForAttachment "text in place of an attachment";
    StrayAttachment "an attachment that nobody announced";
    Placeholder "a placeholder that names no attachment";
    Msgpack "bytes that are no packet of the parser msgpack";
    TextForMsgpack "text, where the parser msgpack writes bytes";
    TooDeep "an argument nested too deeply";
}

/// Names an application may not use for its events: they are the library's own.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

/// The official parser's default; more attachments in one packet are refused.
pub(crate) const MAX_ATTACHMENTS: usize = 10;

/// A packet's text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// The type.
    pub(crate) kind: Kind,
    /// How many binary frames follow.
    pub(crate) attachments: usize,
    /// The namespace; `/` when the text names none.
    pub(crate) namespace: &'a str,
    /// The acknowledgement id in digits, without leading zeros. Text, so that no id is ever rounded.
    pub(crate) id: Option<&'a str>,
    /// JSON, or empty.
    pub(crate) payload: &'a str,
}

impl<'a> Header<'a> {
    /// Takes the text apart and checks that the payload suits the type.
    /// Fails when the text breaks the grammar, or the payload is not what the type demands.
    pub(crate) fn parse(text: &'a str) -> Result<Header<'a>, ParseError> {
        let mut chars = text.chars();
        let kind = match chars.next() {
            Some('0') => Kind::Connect,
            Some('1') => Kind::Disconnect,
            Some('2') => Kind::Event,
            Some('3') => Kind::Ack,
            Some('4') => Kind::ConnectError,
            Some('5') => Kind::BinaryEvent,
            Some('6') => Kind::BinaryAck,
            _ => return Err(ParseError::UnknownType),
        };
        let mut rest = chars.as_str();
        let mut attachments = 0;
        if matches!(kind, Kind::BinaryEvent | Kind::BinaryAck) {
            let (count, after) = rest.split_once('-').ok_or(ParseError::AttachmentCount)?;
            if !count.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ParseError::AttachmentCount);
            }
            attachments = count.parse().map_err(|_| ParseError::AttachmentCount)?;
            if attachments == 0 && !count.is_empty() {
                return Err(ParseError::NoAttachments);
            }
            if attachments > MAX_ATTACHMENTS {
                return Err(ParseError::TooManyAttachments);
            }
            rest = after;
        }
        let mut namespace = "/";
        if rest.starts_with('/') {
            (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (id, payload) = rest.split_at(digits);
        let header = Header { kind, attachments, namespace, id: trim_id(id), payload };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), ParseError> {
        match self.kind {
            Kind::Connect if self.payload.is_empty() || is_object(self.payload) => Ok(()),
            Kind::Connect => Err(ParseError::ConnectPayload),
            Kind::Disconnect if self.payload.is_empty() => Ok(()),
            Kind::Disconnect => Err(ParseError::DisconnectPayload),
            Kind::ConnectError => Err(ParseError::ConnectErrorSent),
            Kind::Event | Kind::BinaryEvent if self.payload.is_empty() => {
                Err(ParseError::EventPayloadMissing)
            }
            Kind::Event | Kind::BinaryEvent => {
                let args = self.arguments()?;
                event_name(args.first().ok_or(ParseError::EventNameMissing)?).map(|_| ())
            }
            Kind::Ack | Kind::BinaryAck => self.arguments().map(|_| ()),
        }
    }

    /// The elements of the payload of an event or acknowledgement, each still text.
    /// Fails when the payload is not a JSON array.
    pub(crate) fn arguments(&self) -> Result<Vec<&'a RawValue>, ParseError> {
        elements(self.payload).ok_or_else(|| {
            if !self.payload.is_empty() && serde_json::from_str::<&RawValue>(self.payload).is_err() {
                let json = self.payload.starts_with(['[', '{', '"']);
                return if json { ParseError::Json } else { ParseError::AckId };
            }
            match self.kind {
                Kind::Ack | Kind::BinaryAck => ParseError::AckPayload,
                _ => ParseError::EventPayload,
            }
        })
    }
}

fn trim_id(digits: &str) -> Option<&str> {
    let trimmed = digits.trim_start_matches('0');
    match (digits.is_empty(), trimmed.is_empty()) {
        (true, _) => None,
        (false, true) => Some("0"),
        (false, false) => Some(trimmed),
    }
}

fn is_object(payload: &str) -> bool {
    payload.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(payload).is_ok()
}

/// The elements of a JSON array, each still text.
pub(crate) fn elements(json: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json).ok()
}

/// The name of an event, from the first element of its payload.
/// Fails when it is neither a string nor a number, or is one of the reserved names.
pub(crate) fn event_name(first: &RawValue) -> Result<Cow<'_, str>, ParseError> {
    let text = first.get();
    match text.as_bytes().first() {
        Some(b'"') => {
            let name = string(first).ok_or(ParseError::EventName)?;
            if RESERVED.contains(&&*name) {
                return Err(ParseError::EventNameReserved);
            }
            Ok(name)
        }
        Some(b'-' | b'0'..=b'9') => Ok(Cow::Borrowed(text)),
        _ => Err(ParseError::EventName),
    }
}

/// A JSON string's value, borrowed when it has no escapes.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let text = raw.get();
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(text).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header<'a>(
        kind: Kind,
        attachments: usize,
        namespace: &'a str,
        id: Option<&'a str>,
        payload: &'a str,
    ) -> Header<'a> {
        Header { kind, attachments, namespace, id, payload }
    }

    #[test]
    fn the_examples_of_the_specification_are_read() {
        // Socket.IO protocol v5, "Packet encoding": Format and Examples.
        let table = [
            ("0", header(Kind::Connect, 0, "/", None, "")),
            (r#"0{"token":"123"}"#, header(Kind::Connect, 0, "/", None, r#"{"token":"123"}"#)),
            ("0/admin,", header(Kind::Connect, 0, "/admin", None, "")),
            ("0/admin", header(Kind::Connect, 0, "/admin", None, "")),
            ("0/a/b?t=1,{}", header(Kind::Connect, 0, "/a/b?t=1", None, "{}")),
            (r#"2["foo"]"#, header(Kind::Event, 0, "/", None, r#"["foo"]"#)),
            (r#"2/admin,["bar"]"#, header(Kind::Event, 0, "/admin", None, r#"["bar"]"#)),
            (r#"212["foo"]"#, header(Kind::Event, 0, "/", Some("12"), r#"["foo"]"#)),
            (r#"2["1"]"#, header(Kind::Event, 0, "/", None, r#"["1"]"#)),
            (r#"2[5,"x"]"#, header(Kind::Event, 0, "/", None, r#"[5,"x"]"#)),
            ("3/admin,13[]", header(Kind::Ack, 0, "/admin", Some("13"), "[]")),
            ("30[]", header(Kind::Ack, 0, "/", Some("0"), "[]")),
            ("3007[]", header(Kind::Ack, 0, "/", Some("7"), "[]")),
            ("1/admin,", header(Kind::Disconnect, 0, "/admin", None, "")),
            ("1", header(Kind::Disconnect, 0, "/", None, "")),
            (
                r#"51-["baz",{"_placeholder":true,"num":0}]"#,
                header(Kind::BinaryEvent, 1, "/", None, r#"["baz",{"_placeholder":true,"num":0}]"#),
            ),
            (
                r#"61-/admin,15[{"_placeholder":true,"num":0}]"#,
                header(Kind::BinaryAck, 1, "/admin", Some("15"), r#"[{"_placeholder":true,"num":0}]"#),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(Header::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_id_is_never_rounded() {
        for id in ["2147483648", "4294967296", "9007199254740991", "123456789012345678901234567890"] {
            let text = format!("2{id}[\"x\"]");
            assert_eq!(Header::parse(&text).unwrap().id, Some(id));
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        let table = r#"
            7 a 2 2{} 2"a" 2[] 2[null] 2[true] 2[{}] 2[[]] 2["a" 2["a"]x 2abc["a"] 2-1["a"]
            3 31 31{} 0[] 0"x" 0null 0{bad 1{} 4{}
            5 51 5x-["a"] 51.5-["a"] 5-1-["a"] 5-["a"] 50-["a"] 511-["a"]
            2["connect"] 2["connect_error"] 2["disconnect"] 2["disconnecting"] 2["newListener"]
            2["removeListener"] 2["\u0063onnect"]
        "#;
        for text in table.split_whitespace().chain(["", "2[\"a\u{1e}b\"]"]) {
            assert!(Header::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_that_only_look_reserved_are_fine() {
        for name in ["error", "connection", "", "Connect", "__proto__"] {
            assert!(Header::parse(&format!("2[\"{name}\"]")).is_ok(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-7]?[0-9]{0,3}-?(/[a-zé]{0,4},?)?[0-9]{0,4}.{0,60}") {
            let _ = Header::parse(&text);
        }

        #[test]
        fn every_part_is_found_again(namespace in "/[a-zA-Z0-9/ü_-]{0,20}", id in any::<u64>(), name in "[a-z]{1,9}") {
            let text = format!("2{namespace},{id}[\"{name}\",1]");
            let header = Header::parse(&text).unwrap();
            prop_assert_eq!(header.namespace, namespace);
            prop_assert_eq!(header.id, Some(&*id.to_string()));
            prop_assert_eq!(header.payload, format!("[\"{name}\",1]"));
        }
    }
}
