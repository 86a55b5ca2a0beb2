//! Engine.IO packets and the handshake.
//!
//! Specification: Engine.IO protocol v4. One packet is one WebSocket message, or one item of a [`super::payload`]
//! body; binary packets are bare binary frames there and base64 here, so this module spells only the text ones.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::Rule;
use super::violation::{Violation, excerpt};

/// A packet. Its text and bytes are borrowed from the input wherever the wire holds them literally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the handshake as JSON text, for [`Handshake::decode`].
    Open(&'a str),
    /// `1`: the transport can be closed.
    Close,
    /// `2`: heartbeat, or the `probe` of an upgrade.
    Ping(&'a str),
    /// `3`: the answer to a ping, with the same payload.
    Pong(&'a str),
    /// `4`: a message of text.
    Text(&'a str),
    /// A message of bytes: a bare binary frame, or `b` and base64 in a payload.
    Binary(Cow<'a, [u8]>),
    /// `5`: the WebSocket takes over.
    Upgrade,
    /// `6`: releases a pending poll.
    Noop,
}

/// Reads one WebSocket text message, or one textual item of a payload.
///
/// Close, upgrade and noop have no use for a payload; the format gives every type an optional one
/// ("Packet encoding"), so it is passed over rather than held against the peer.
pub fn decode_text(text: &str) -> Result<Packet<'_>, Violation> {
    let Some(kind) = text.as_bytes().first() else {
        return Err(Violation::new(Rule::EnginePacketType, "the packet is empty"));
    };
    // An ASCII digit is one byte, so the rest begins at a character boundary.
    Ok(match kind {
        b'0' => Packet::Open(&text[1..]),
        b'1' => Packet::Close,
        b'2' => Packet::Ping(&text[1..]),
        b'3' => Packet::Pong(&text[1..]),
        b'4' => Packet::Text(&text[1..]),
        b'5' => Packet::Upgrade,
        b'6' => Packet::Noop,
        _ => return Err(Violation::new(Rule::EnginePacketType, format!("the packet is {}", excerpt(text)))),
    })
}

/// Appends the packet as text.
///
/// A [`Packet::Binary`] has no text form of its own and appends nothing: it is a binary frame on a WebSocket, and
/// [`super::payload::append`] spells it for long-polling.
pub fn encode_text(packet: &Packet<'_>, out: &mut String) {
    let (kind, data) = match packet {
        Packet::Open(json) => ('0', *json),
        Packet::Close => ('1', ""),
        Packet::Ping(data) => ('2', *data),
        Packet::Pong(data) => ('3', *data),
        Packet::Text(data) => ('4', *data),
        Packet::Upgrade => ('5', ""),
        Packet::Noop => ('6', ""),
        Packet::Binary(_) => return,
    };
    out.reserve(1 + data.len());
    out.push(kind);
    out.push_str(data);
}

/// What the server tells in its open packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session identifier, never empty. Not necessarily safe in a URL: escape it there.
    pub sid: String,
    /// The transports to which this session may be upgraded.
    pub upgrades: Vec<String>,
    /// The time between two pings of the server.
    pub ping_interval: Duration,
    /// The time in which a ping has to be answered.
    pub ping_timeout: Duration,
    /// The most bytes that one payload may have. `None` when the server does not say, as servers older than the key: then
    /// a session keeps to no limit. That a server has to say it is for the case `handshake/open-packet-fields` to judge.
    pub max_payload: Option<u64>,
}

/// The longest time a server may name: the longest that the timers of JavaScript can hold (2³¹ − 1 ms, some 24
/// days). With more, the official client would give up at once.
pub const MAX_HEARTBEAT: Duration = Duration::from_millis(0x7fff_ffff);

impl Handshake {
    /// Reads the payload of an open packet. Unknown keys are passed over; of a repeated key the last one counts, as
    /// in `JSON.parse`.
    ///
    /// A time is a number of milliseconds above zero and at most [`MAX_HEARTBEAT`]; a fraction is kept. A size is a
    /// whole number above zero (`1e6` is one); `null`, which is what JavaScript makes of `Infinity`, counts as
    /// not said.
    pub fn decode(json: &str) -> Result<Handshake, Violation> {
        let fields: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| Violation::new(Rule::HandshakeJson, format!("{error} in {}", excerpt(json))))?;
        Ok(Handshake {
            sid: sid(&fields)?,
            upgrades: upgrades(&fields)?,
            ping_interval: milliseconds(&fields, "pingInterval")?,
            ping_timeout: milliseconds(&fields, "pingTimeout")?,
            max_payload: size(&fields, "maxPayload")?,
        })
    }
}

fn wrong(key: &str, wanted: &str, found: Option<&Value>) -> Violation {
    let found = found.map_or("missing".to_owned(), excerpt_value);
    Violation::new(Rule::HandshakeField, format!("{key} should be {wanted} and is {found}"))
}

fn excerpt_value(value: &Value) -> String {
    match value {
        Value::String(text) => excerpt(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => scalar.to_string(),
    }
}

fn sid(fields: &Map<String, Value>) -> Result<String, Violation> {
    match fields.get("sid") {
        Some(Value::String(sid)) if !sid.is_empty() => Ok(sid.clone()),
        other => Err(wrong("sid", "a string that is not empty", other)),
    }
}

fn upgrades(fields: &Map<String, Value>) -> Result<Vec<String>, Violation> {
    let found = fields.get("upgrades");
    let strings = found.and_then(Value::as_array).and_then(|items| {
        items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    strings.ok_or_else(|| wrong("upgrades", "an array of strings", found))
}

fn milliseconds(fields: &Map<String, Value>, key: &str) -> Result<Duration, Violation> {
    let found = fields.get(key);
    let duration = found
        .and_then(Value::as_f64)
        .and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok())
        .filter(|duration| !duration.is_zero() && *duration <= MAX_HEARTBEAT);
    duration.ok_or_else(|| wrong(key, "a number of milliseconds above 0 and below 2^31", found))
}

fn size(fields: &Map<String, Value>, key: &str) -> Result<Option<u64>, Violation> {
    /// Up to here every whole number is exact as a double, which is what a JavaScript peer counts with.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let found = match fields.get(key) {
        None | Some(Value::Null) => return Ok(None),
        found => found,
    };
    let whole = found.and_then(|value| {
        value.as_u64().or_else(|| {
            let number = value.as_f64()?;
            (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
        })
    });
    match whole {
        Some(bytes) if bytes > 0 => Ok(Some(bytes)),
        _ => Err(wrong(key, "a whole number of bytes above 0", found)),
    }
}

#[cfg(test)]
mod tests;
