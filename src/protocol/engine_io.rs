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
    Noop(&'a str),
}

/// Reads one WebSocket text message, or one textual item of a payload.
///
/// Close and upgrade have no use for a payload; the format gives every type an optional one ("Packet encoding"), so it is
/// passed over rather than held against the peer.
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
        b'6' => Packet::Noop(&text[1..]),
        _ => return Err(Violation::new(Rule::EnginePacketType, format!("the packet is {}", excerpt(text)))),
    })
}

/// That a heartbeat or a noop has a payload, if it does. The word of a probe is none.
pub fn check_bare(packet: &Packet<'_>) -> Option<Violation> {
    let (kind, payload) = match packet {
        Packet::Ping(payload) if *payload != PROBE => ('2', payload),
        Packet::Noop(payload) => ('6', payload),
        _ => return None,
    };
    let words = || format!("the packet is {}", excerpt(&format!("{kind}{payload}")));
    let rule = if is_message(payload) { Rule::EnginePacketType } else { Rule::PacketPayload };
    (!payload.is_empty()).then(|| Violation::new(rule, words()))
}

/// Whether this is what stands behind the type of a Socket.IO packet: somebody forgot that a message has a type, too.
fn is_message(payload: &str) -> bool {
    let rest = match payload.starts_with('/') {
        true => payload.split_once(',').map_or("", |(_, rest)| rest),
        false => payload,
    };
    rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("[\"")
}

/// The type alone of a heartbeat or a noop that has a payload, which means nothing.
pub fn frame_bare(frame: &str) -> Option<&str> {
    let is_more = |packet: &Packet<'_>| check_bare(packet).is_some();
    decode_text(frame).ok().filter(is_more).map(|_| &frame[..1])
}

/// What the pings of an upgrade say.
const PROBE: &str = "probe";

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
        Packet::Noop(data) => ('6', *data),
        Packet::Binary(_) => return,
    };
    out.reserve(1 + data.len());
    out.push(kind);
    out.push_str(data);
}

/// What the server tells in its open packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The session identifier, empty where the server gave none that can be used. Not necessarily safe in a URL: escape it there.
    pub sid: String,
    /// The transports to which this session may be upgraded.
    pub upgrades: Vec<String>,
    /// The time between two pings of the server.
    pub ping_interval: Duration,
    /// The time between two pings of a client of Engine.IO 3. Where the interval cannot be used it is the timeout: no server
    /// gives up earlier.
    pub client_interval: Duration,
    /// The time in which a ping has to be answered.
    pub ping_timeout: Duration,
    /// The most bytes that one payload may have. `None` when the server does not say, as servers older than the key: then
    /// a session keeps to no limit. That a server has to say it is for the case `handshake/open-packet-fields` to judge.
    pub max_payload: Option<u64>,
}

/// The longest time a server may name: the longest that the timers of JavaScript can hold (2³¹ − 1 ms, some 24
/// days). With more, the official client would give up at once.
pub const MAX_HEARTBEAT: Duration = Duration::from_millis(0x7fff_ffff);

/// What stands in for a time that cannot be used: the values of the example in the specification, which are those of the
/// official server.
const USUAL_INTERVAL: Duration = Duration::from_secs(25);
const USUAL_TIMEOUT: Duration = Duration::from_secs(20);

impl Handshake {
    /// Reads the payload of an open packet. Unknown keys are passed over; of a repeated key the last one counts, as
    /// in `JSON.parse`. A field that cannot be used is named in the violation, and a usual value stands in its place, so
    /// that one bad field does not spoil the rest; an id that cannot be used is empty then.
    ///
    /// A time is a number of milliseconds above zero and at most [`MAX_HEARTBEAT`]; a fraction is kept. A size is a
    /// whole number above zero (`1e6` is one); `null`, which is what JavaScript makes of `Infinity`, counts as
    /// not said.
    ///
    /// # Errors
    /// When the payload is no JSON object.
    pub fn decode(json: &str) -> Result<(Handshake, Option<Violation>), Violation> {
        let fields: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| Violation::new(Rule::HandshakeJson, format!("{error} in {}", excerpt(json))))?;
        let mut reading = Reading { fields: &fields, wrong: Vec::new() };
        let (sid, upgrades, told) = (reading.sid(), reading.upgrades(), reading.wrong.len());
        let ping_interval = reading.milliseconds("pingInterval", USUAL_INTERVAL);
        let is_known = reading.wrong.len() == told;
        let ping_timeout = reading.milliseconds("pingTimeout", USUAL_TIMEOUT);
        let handshake = Handshake {
            sid,
            upgrades,
            ping_interval,
            client_interval: if is_known { ping_interval } else { ping_interval.min(ping_timeout) },
            ping_timeout,
            max_payload: reading.size("maxPayload"),
        };
        let is_wrong = !reading.wrong.is_empty();
        let wrong = is_wrong.then(|| Violation::new(Rule::HandshakeField, reading.wrong.join("; ")));
        Ok((handshake, wrong))
    }
}

/// Whether it is the id of a session that cannot be used as it is.
pub fn is_about_id(flaw: &Violation) -> bool {
    flaw.rule == Rule::HandshakeField && flaw.detail.starts_with("sid ")
}

/// The fields of a handshake, and what was wrong with those that were read.
struct Reading<'a> {
    fields: &'a Map<String, Value>,
    wrong: Vec<String>,
}

impl<'a> Reading<'a> {
    fn accuse(&mut self, key: &str, wanted: &str) {
        let found = self.fields.get(key).map_or("missing".to_owned(), excerpt_value);
        self.wrong.push(format!("{key} should be {wanted} and is {found}"));
    }

    fn sid(&mut self) -> String {
        let found = self.fields.get("sid");
        match found {
            Some(Value::String(sid)) if !sid.is_empty() => return sid.clone(),
            _ => self.accuse("sid", "a string that is not empty"),
        }
        // In the query of a request a number looks like its text.
        found.filter(|found| found.is_number()).map(ToString::to_string).unwrap_or_default()
    }

    fn upgrades(&mut self) -> Vec<String> {
        let items = self.fields.get("upgrades").and_then(Value::as_array);
        let names =
            |items: &'a Vec<Value>| items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let names: Vec<String> = items.map(names).unwrap_or_default();
        if items.is_none_or(|items| items.len() != names.len()) {
            self.accuse("upgrades", "an array of strings");
        }
        names
    }

    fn milliseconds(&mut self, key: &str, usual: Duration) -> Duration {
        let found = self.fields.get(key);
        let number = found.and_then(Value::as_f64);
        let duration = |number: f64| {
            let duration = Duration::try_from_secs_f64(number / 1000.0).ok()?;
            (!duration.is_zero() && duration <= MAX_HEARTBEAT).then_some(duration)
        };
        number.and_then(duration).unwrap_or_else(|| {
            self.accuse(key, "a number of milliseconds above 0 and below 2^31");
            let in_words = found.and_then(Value::as_str).and_then(|text| text.trim().parse().ok());
            match number.or(in_words) {
                Some(number) if number > MAX_HEARTBEAT.as_secs_f64() * 1000.0 => MAX_HEARTBEAT,
                number => number.and_then(duration).unwrap_or(usual),
            }
        })
    }

    fn size(&mut self, key: &str) -> Option<u64> {
        /// Up to here every whole number is exact as a double, which is what a JavaScript peer counts with.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let found = self.fields.get(key).filter(|value| !value.is_null())?;
        let whole = found.as_u64().or_else(|| {
            let number = found.as_f64()?;
            (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
        });
        if whole.is_none_or(|bytes| bytes == 0) {
            self.accuse(key, "a whole number of bytes above 0");
        }
        whole.filter(|bytes| *bytes > 0)
    }
}

fn excerpt_value(value: &Value) -> String {
    match value {
        Value::String(text) => excerpt(text),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests;
