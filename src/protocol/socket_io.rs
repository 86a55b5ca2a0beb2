//! Socket.IO packets: the text inside Engine.IO messages.
//!
//! Specification: Socket.IO protocol v5, "Packet encoding". [`decode`] is the hot path: it borrows, allocates
//! nothing and looks at the payload no further than its first character. [`examine`] is the slow and strict reading
//! for conformance. The bytes of binary packets are the business of [`super::attachments`].

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::Rule;
use super::placeholder;
use super::violation::{Violation, excerpt};

/// The main namespace, which is not written.
pub const MAIN: &str = "/";

/// The type of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `0`: asks for a namespace, or grants it.
    Connect,
    /// `1`: leaves a namespace.
    Disconnect,
    /// `2`: an event.
    Event,
    /// `3`: the acknowledgement of an event.
    Ack,
    /// `4`: refuses a namespace.
    ConnectError,
    /// `5`: an event with attachments.
    BinaryEvent,
    /// `6`: an acknowledgement with attachments.
    BinaryAck,
}

impl Kind {
    /// Every kind, in the order of its digit.
    pub const ALL: [Kind; 7] = [
        Kind::Connect,
        Kind::Disconnect,
        Kind::Event,
        Kind::Ack,
        Kind::ConnectError,
        Kind::BinaryEvent,
        Kind::BinaryAck,
    ];

    /// The digit on the wire.
    pub fn digit(self) -> char {
        (b'0' + self as u8) as char
    }

    /// Whether attachments follow.
    pub fn is_binary(self) -> bool {
        matches!(self, Kind::BinaryEvent | Kind::BinaryAck)
    }
}

/// A packet, borrowed from the text that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its type.
    pub kind: Kind,
    /// How many binary messages belong to it; zero unless the kind is binary.
    pub attachments: u32,
    /// The namespace, beginning with a slash: [`MAIN`] when none is written.
    pub namespace: &'a str,
    /// The acknowledgement id.
    pub id: Option<u64>,
    /// The payload as JSON text, known by its first character only.
    pub data: Option<&'a str>,
}

/// Reads `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`, the text of one Engine.IO message.
///
/// Refused is what cannot be given a meaning; what merely breaks the rules of spelling is left to [`examine`]: a
/// namespace without its comma at the end of the packet, the main namespace written out, zeros before a number, a
/// CONNECT_ERROR without an object, JSON that does not parse.
pub fn decode(text: &str) -> Result<Packet<'_>, Violation> {
    let Some(kind) = text.bytes().next().and_then(kind_of) else {
        return Err(Violation::new(Rule::PacketType, format!("the packet is {}", excerpt(text))));
    };
    // The type, the counts and the separators are ASCII, so each rest begins at a character boundary.
    let mut rest = &text[1..];

    let mut attachments = 0;
    if kind.is_binary() {
        let (count, after) = number(rest);
        let count = count.and_then(|count| u32::try_from(count).ok());
        let (Some(count), Some(after)) = (count, after.strip_prefix('-')) else {
            return Err(Violation::new(Rule::AttachmentCount, format!("the packet is {}", excerpt(text))));
        };
        (attachments, rest) = (count, after);
    }

    let mut namespace = MAIN;
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }

    let mut id = None;
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        let (value, after) = number(rest);
        if value.is_none() {
            return Err(Violation::new(Rule::AckId, format!("the id in {} is above 2^64", excerpt(text))));
        }
        (id, rest) = (value, after);
    }

    let data = (!rest.is_empty()).then_some(rest);
    let packet = Packet { kind, attachments, namespace, id, data };
    packet.check_opening(text)?;
    Ok(packet)
}

/// What a lenient server may take a text for: a packet whose payload, or whose id, need not be legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline<'a> {
    /// Its type.
    pub kind: Kind,
    /// The namespace: [`MAIN`] when none is written.
    pub namespace: &'a str,
    /// The digits of the acknowledgement id, of any length.
    pub id: Option<&'a str>,
    /// What stands behind: the payload, whatever it is.
    pub rest: &'a str,
}

/// Reads the parts of a packet that stand before its payload, as far as they can be read. None without a known type.
pub fn outline(text: &str) -> Option<Outline<'_>> {
    let kind = text.bytes().next().and_then(kind_of)?;
    let mut rest = &text[1..];
    if kind.is_binary() {
        // Without the hyphen, the digits are an id to whoever reads on.
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        rest = behind.strip_prefix('-').unwrap_or(rest);
    }
    let mut namespace = MAIN;
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    let digits = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(digits);
    Some(Outline { kind, namespace, id: (digits > 0).then_some(id), rest })
}

/// Where a packet writes out the main namespace.
fn written_main(text: &str) -> Option<Range<usize>> {
    let kind = text.bytes().next().and_then(kind_of)?;
    let mut rest = &text[1..];
    if kind.is_binary() {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('-')?;
    }
    let from = text.len() - rest.len();
    let length = if rest == MAIN { 1 } else { 2 };
    (rest == MAIN || rest.starts_with("/,")).then_some(from..from + length)
}

/// The same packet without the main namespace, which the format leaves out, if it is written out.
fn without_main(text: &str) -> Option<String> {
    let written = written_main(text)?;
    Some(format!("{}{}", &text[..written.start], &text[written.end..]))
}

/// The same frame of Engine.IO with a message in it, without the main namespace, if that is written out.
pub fn frame_without_main(frame: &str) -> Option<String> {
    let plain = without_main(frame.strip_prefix('4')?)?;
    Some(format!("4{plain}"))
}

/// That a packet writes out the main namespace, if it does.
pub fn check_main(text: &str) -> Option<Violation> {
    let spelled = without_main(text)?;
    Some(Violation::new(Rule::Namespace, format!("{} should be {}", excerpt(text), excerpt(&spelled))))
}

/// That a refusal brings no object with a message, if it does not: [`decode`] hears of it all the same.
pub fn check_refusal(text: &str) -> Option<Violation> {
    let refusal = decode(text).ok().filter(|packet| packet.kind == Kind::ConnectError)?;
    let told: Value = refusal.data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let words = || refusal.data.map_or("it has none".to_owned(), |data| format!("it is {}", excerpt(data)));
    (!told["message"].is_string()).then(|| Violation::new(Rule::ConnectErrorPayload, words()))
}

/// Whether there is JSON behind the JSON of a packet, or what begins like another packet: two that nothing tells from each other.
pub fn is_joined(payload: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(payload).into_iter::<IgnoredAny>();
    let is_whole = matches!(values.next(), Some(Ok(_)));
    let rest = payload.get(values.byte_offset()..).unwrap_or_default();
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    is_whole && rest.starts_with(|c: char| matches!(c, '0'..='6' | 'b')) && rest.len() < payload.len()
}

/// Whether a payload is the beginning of one, and its end is missing.
pub fn is_cut(payload: &str) -> bool {
    let parsed = serde_json::from_str::<IgnoredAny>(payload);
    payload.len() > 1 && parsed.is_err_and(|error| error.is_eof())
}

impl Packet<'_> {
    /// Appends the packet. Whatever the fields hold is written, also what leaves the protocol: the attachment count
    /// belongs to binary kinds only, a namespace with a comma or without its slash and data of the wrong shape are
    /// read back as something else.
    pub fn encode(&self, out: &mut String) {
        let data = self.data.unwrap_or_default();
        out.reserve(2 + self.namespace.len() + data.len());
        out.push(self.kind.digit());
        if self.kind.is_binary() {
            push_number(self.attachments.into(), out);
            out.push('-');
        }
        if self.namespace != MAIN {
            out.push_str(self.namespace);
            out.push(',');
        }
        if let Some(id) = self.id {
            push_number(id, out);
        }
        out.push_str(data);
    }

    /// Checks the payload in full against the rules of its kind, which costs a JSON parse.
    ///
    /// Syntax is judged at any depth. Placeholders ("Sending and receiving data") are looked for in payloads that
    /// also fit into [`serde_json::Value`]; one with a nesting above 128 or a number beyond a double is correct
    /// JSON, cannot be searched and is not accused. Whether a payload is *needed* beyond the kind, as in the
    /// server's answer to CONNECT, depends on who speaks and is the session's to judge.
    pub fn validate(&self) -> Result<(), Violation> {
        let Some(data) = self.data else {
            return match self.kind {
                Kind::Connect | Kind::Disconnect => Ok(()),
                kind => Err(Violation::new(payload_rule(kind), "it has none")),
            };
        };
        self.check_opening(data)?;
        if let Err(error) = serde_json::from_str::<IgnoredAny>(data) {
            return Err(Violation::new(Rule::Json, format!("{error} in {}", excerpt(data))));
        }
        match self.kind {
            Kind::ConnectError if !data.starts_with('{') => {
                return Err(Violation::new(Rule::ConnectErrorPayload, format!("it is {}", excerpt(data))));
            }
            // "Sending and receiving data": non-empty. That the first element names the event is how every
            // implementation reads it; a number is a name in JavaScript.
            Kind::Event | Kind::BinaryEvent if event_name(data).is_none() => {
                return Err(Violation::new(Rule::EventPayload, format!("it is {}", excerpt(data))));
            }
            _ => {}
        }
        if self.kind.is_binary() {
            self.check_placeholders(data)?;
        }
        Ok(())
    }

    /// What the first character of the payload already tells.
    pub(super) fn check_opening(&self, text: &str) -> Result<(), Violation> {
        let wrong = match (self.kind, self.data.and_then(|data| data.bytes().next())) {
            // "Sending and receiving data", "Acknowledgement": the payload is mandatory and an array.
            (Kind::Event | Kind::BinaryEvent | Kind::Ack | Kind::BinaryAck, Some(b'[')) => false,
            (Kind::Event | Kind::BinaryEvent | Kind::Ack | Kind::BinaryAck, _) => true,
            (Kind::Connect, None | Some(b'{')) => false,
            (Kind::Connect, Some(_)) => true,
            (Kind::Disconnect, data) => data.is_some(),
            // Older servers refuse with a bare string or with nothing. A refusal must be heard whatever its form.
            (Kind::ConnectError, None | Some(b'{' | b'"')) => false,
            (Kind::ConnectError, Some(_)) => true,
        };
        if wrong {
            return Err(Violation::new(payload_rule(self.kind), format!("the packet is {}", excerpt(text))));
        }
        // "Acknowledgement": the same id as the event.
        if matches!(self.kind, Kind::Ack | Kind::BinaryAck) && self.id.is_none() {
            return Err(Violation::new(Rule::AckId, format!("there is none in {}", excerpt(text))));
        }
        Ok(())
    }

    fn check_placeholders(&self, data: &str) -> Result<(), Violation> {
        let Ok(value) = serde_json::from_str::<Value>(data) else { return Ok(()) };
        placeholder::check(&value, self.attachments)
            .map_err(|detail| Violation::new(Rule::Placeholder, detail))
    }
}

/// [`decode`] and [`Packet::validate`] together, and then the spelling: the packet must be written exactly as
/// [`Packet::encode`] writes it, which is the one form the format gives.
pub fn examine(text: &str) -> Result<Packet<'_>, Violation> {
    let packet = decode(text)?;
    packet.validate()?;
    let mut spelled = String::with_capacity(text.len());
    packet.encode(&mut spelled);
    if spelled != text {
        let detail = format!("{} should be {}", excerpt(text), excerpt(&spelled));
        let rule =
            if spelled.contains('/') != text.contains('/') || spelled.contains(',') != text.contains(',') {
                Rule::Namespace
            } else {
                Rule::Spelling
            };
        return Err(Violation::new(rule, detail));
    }
    Ok(packet)
}

/// The name of an event and its arguments, from the payload of an EVENT packet, without parsing the JSON.
///
/// The arguments are the JSON text between the name and the closing bracket, without the comma before them and
/// without the bracket: `1,{"a":2}` for `["name",1,{"a":2}]`, and empty for `["name"]`. Put between brackets they
/// are an array again. A numeric name is given as it is written, since JavaScript takes it for the same property.
/// The name's escapes are resolved, which allocates only when there are any. `None` when the payload is not an
/// array that begins with a name; nothing after the name is looked at but the last bracket.
pub fn event_name(data: &str) -> Option<(Cow<'_, str>, &str)> {
    let inside = trim(data).strip_prefix('[')?.strip_suffix(']')?;
    let inside = inside.trim_start_matches(WHITESPACE);
    let end = first_element(inside)?;
    let (name, rest) = inside.split_at(end);
    let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        None => Cow::Borrowed(name),
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => Cow::Owned(serde_json::from_str(name).ok()?),
    };
    match trim(rest) {
        "" => Some((name, "")),
        rest => match trim(rest.strip_prefix(',')?) {
            "" => None,
            arguments => Some((name, arguments)),
        },
    }
}

/// What JSON calls whitespace (RFC 8259, section 2).
const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn trim(text: &str) -> &str {
    text.trim_matches(WHITESPACE)
}

/// Where the string or number ends with which the text begins.
fn first_element(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'"' => {
            let mut at = 1;
            loop {
                match bytes.get(at)? {
                    b'"' => return Some(at + 1),
                    // What is escaped is one byte at least, and never a quote that ends the string.
                    b'\\' => at += 2,
                    0..0x20 => return None,
                    _ => at += 1,
                }
            }
        }
        b'-' | b'0'..=b'9' => {
            let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            Some(bytes.iter().position(|byte| !part(byte)).unwrap_or(bytes.len()))
        }
        _ => None,
    }
}

fn kind_of(digit: u8) -> Option<Kind> {
    Kind::ALL.get(usize::from(digit.checked_sub(b'0')?)).copied()
}

fn payload_rule(kind: Kind) -> Rule {
    match kind {
        Kind::Connect => Rule::ConnectPayload,
        Kind::Disconnect => Rule::DisconnectPayload,
        Kind::Event | Kind::BinaryEvent => Rule::EventPayload,
        Kind::Ack | Kind::BinaryAck => Rule::AckPayload,
        Kind::ConnectError => Rule::ConnectErrorPayload,
    }
}

/// The number at the front and what follows it; no number when there is no digit or when it does not fit.
fn number(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(digits);
    (digits.parse().ok(), rest)
}

fn push_number(mut number: u64, out: &mut String) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|&digit| digit as char));
}

#[cfg(test)]
mod tests;
