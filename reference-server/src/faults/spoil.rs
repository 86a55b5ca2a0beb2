//! The faults of packets: each bends one packet on its way in or out, or skips what has to be refused.
//!
//! On a healthy server all of these hand back what they were given.

use std::borrow::Cow;
use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fault, Faults};
use crate::engine::packet::EncodedPacket;
use crate::socket::args::{self, Arg};
use crate::socket::decoder::Packet;
use crate::socket::message::Message;
use crate::socket::packet::{Kind, ParseError};

/// Whether a packet that has to be refused for `error` is skipped instead.
pub(crate) fn skips(faults: &Faults, error: ParseError) -> bool {
    let skipped = match error {
        ParseError::UnknownType => Fault::UnknownTypeIgnored,
        ParseError::AttachmentCount => Fault::AttachmentCountIgnored,
        ParseError::NoAttachments => Fault::ZeroAttachmentsIgnored,
        ParseError::TooManyAttachments => Fault::AttachmentLimitMissing,
        ParseError::AckId => Fault::IllegalIdIgnored,
        ParseError::DisconnectPayload => Fault::DisconnectPayloadIgnored,
        ParseError::ConnectErrorSent => Fault::ConnectErrorIgnored,
        ParseError::EventPayloadMissing => Fault::MissingPayloadIgnored,
        ParseError::EventPayload => Fault::EventPayloadIgnored,
        ParseError::EventNameMissing => Fault::EmptyEventIgnored,
        ParseError::EventName => Fault::EventNameIgnored,
        ParseError::EventNameReserved => Fault::ReservedNameIgnored,
        ParseError::AckPayload => Fault::AckPayloadIgnored,
        ParseError::TextForAttachment => Fault::TextForAttachmentIgnored,
        ParseError::StrayAttachment => Fault::StrayAttachmentIgnored,
        ParseError::Placeholder => Fault::IllegalPlaceholderIgnored,
        ParseError::Json
        | ParseError::ConnectPayload
        | ParseError::TooDeep
        | ParseError::Msgpack
        | ParseError::TextForMsgpack => Fault::MalformedPacketIgnored,
    };
    faults.has(skipped) || faults.has(Fault::MalformedPacketIgnored)
}

/// A text message before it is read.
pub(crate) fn incoming<'a>(faults: &Faults, text: &'a str) -> Result<Cow<'a, str>, ParseError> {
    if faults.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let event = text.starts_with(['2', '5']);
    let body = text.get(1..).unwrap_or_default();
    let namespace = body.starts_with('/').then(|| body.split(',').next().unwrap_or_default());
    let numeric =
        || text.find('[').is_some_and(|at| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let depth = || text.bytes().take_while(|byte| *byte != b'}').filter(|byte| *byte == b'[').count();
    let digits = body.bytes().take_while(u8::is_ascii_digit).count();
    let id = body[..digits].parse::<u64>().unwrap_or(0);
    let refused = (faults.has(Fault::CommaDemanded)
        && namespace.is_some_and(|name| name.len() == body.len()))
        || (faults.has(Fault::NumericNameRefused) && event && numeric())
        || (faults.has(Fault::ErrorNameFatal) && text.contains(r#"["error""#))
        || (faults.has(Fault::LargeIdRefused) && id > 1 << 53)
        || (faults.has(Fault::ProtoKeyFatal) && text.contains(r#""__proto__""#))
        || (faults.has(Fault::DeepNestingRefused) && depth() > 64)
        || (faults.has(Fault::LongTextRefused) && text.len() > 65_536)
        || (faults.has(Fault::PlaceholderInTextFatal)
            && text.starts_with('2')
            && text.contains("_placeholder"));
    if refused {
        return Err(ParseError::Json);
    }
    if faults.has(Fault::AstralCharactersLost) {
        let narrow = |c: char| if c > '\u{ffff}' { char::REPLACEMENT_CHARACTER } else { c };
        return Ok(Cow::Owned(text.chars().map(narrow).collect()));
    }
    if faults.has(Fault::NamespaceQueryCut)
        && let Some((name, query)) = namespace.and_then(|name| name.split_once('?'))
    {
        return Ok(Cow::Owned(text.replacen(&format!("{name}?{query}"), name, 1)));
    }
    if faults.has(Fault::NamespacedIdLost)
        && event
        && let Some(name) = namespace
    {
        let rest =
            body[name.len()..].trim_start_matches(',').trim_start_matches(|c: char| c.is_ascii_digit());
        return Ok(Cow::Owned(format!("{}{name},{rest}", &text[..1])));
    }
    if faults.has(Fault::DigitsTakenForId) && text.starts_with("2[") {
        let digits: String = body.chars().filter(char::is_ascii_digit).collect();
        let rest: String = body.chars().filter(|c| !c.is_ascii_digit()).collect();
        return Ok(Cow::Owned(format!("2{digits}{rest}")));
    }
    Ok(Cow::Borrowed(text))
}

/// A binary message before it is taken for an attachment.
pub(crate) fn attachment(faults: &Faults, data: Bytes) -> Result<Bytes, ParseError> {
    if faults.has(Fault::EmptyAttachmentRefused) && data.is_empty() {
        return Err(ParseError::StrayAttachment);
    }
    if faults.has(Fault::AttachmentReadAsText) {
        return Ok(Bytes::from(String::from_utf8_lossy(&data).into_owned()));
    }
    if faults.has(Fault::LongAttachmentCut) {
        return Ok(data.slice(..data.len().min(65_536)));
    }
    Ok(data)
}

/// A packet before it is handled; with `attachments` if binary frames came with it.
pub(crate) fn packet(faults: &Faults, packet: &mut Packet<'_>, attachments: bool) -> Result<(), ParseError> {
    if faults.is_empty() || packet.kind != Kind::Event {
        return Ok(());
    }
    let unused = attachments && packet.args.iter().all(|arg| arg.json().is_some());
    if faults.has(Fault::UnusedAttachmentRefused) && unused {
        return Err(ParseError::StrayAttachment);
    }
    if faults.has(Fault::FurtherArgumentsLost) {
        packet.args.truncate(1);
    }
    if faults.has(Fault::NothingBecomesNull) && packet.args.is_empty() {
        packet.args.push(Arg::Json(Cow::Borrowed(RawValue::NULL)));
    }
    if faults.has(Fault::NullsDropped) {
        packet.args.retain(|arg| arg.json() != Some("null"));
    }
    if faults.has(Fault::NumbersNarrowed) {
        for arg in &mut packet.args {
            let narrowed = arg.parse::<Value>().map(|mut value| {
                narrow(&mut value);
                value
            });
            if let Some(raw) = narrowed.and_then(|value| RawValue::from_string(value.to_string()).ok()) {
                *arg = Arg::Json(Cow::Owned(raw));
            }
        }
    }
    let mut arrival = 0;
    let mut seen = Vec::new();
    for arg in &mut packet.args {
        let Some(tree) = arg.tree().cloned() else { continue };
        if faults.has(Fault::PlaceholderByPosition) {
            *arg = arg.with_tree(by_position(tree, &mut arrival));
        } else if faults.has(Fault::NestedPlaceholderIgnored) && !args::is_placeholder(&tree) {
            if let Ok(raw) = RawValue::from_string(tree.to_string()) {
                *arg = Arg::Json(Cow::Owned(raw));
            }
        } else if faults.has(Fault::RepeatedPlaceholderNull)
            && let Some(num) = args::number(&tree)
        {
            if seen.contains(&num) {
                *arg = Arg::Json(Cow::Borrowed(RawValue::NULL));
            }
            seen.push(num);
        }
    }
    Ok(())
}

/// Numbers placeholders in the order in which they stand there.
fn by_position(mut tree: Value, next: &mut usize) -> Value {
    let Ok(()) = args::walk_placeholders::<Infallible>(&mut tree, &mut |found| {
        *found = args::placeholder(*next);
        *next += 1;
        Ok(())
    });
    tree
}

/// Reads all numbers as 32-bit floats.
fn narrow(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::from(number.as_f64().map(|number| number as f32)),
        Value::Array(items) => items.iter_mut().for_each(narrow),
        Value::Object(map) => map.values_mut().for_each(narrow),
        _ => {}
    }
}

/// A packet before it is sent; `None` leaves it as it is.
pub(crate) fn outgoing(faults: &Faults, message: &Message) -> Option<Message> {
    if faults.is_empty() {
        return None;
    }
    let packets = message.packets();
    let text = std::str::from_utf8(packets[0].body()).ok()?;
    let kind = text.get(1..2)?;
    let count = if message_is_binary(kind) { text.find('-')? + 1 } else { 2 };
    let (start, rest) = text.split_at(count);
    let (name, tail) = rest.strip_prefix('/').and_then(|rest| rest.split_once(',')).unwrap_or(("", rest));
    let spelt = if faults.has(Fault::MainNamespaceWritten) && "2356".contains(kind) && name.is_empty() {
        format!("{start}/,{tail}")
    } else if faults.has(Fault::EventNamesFoldCase) && "25".contains(kind) {
        format!("{start}{}", with_small_name(rest))
    } else if faults.has(Fault::CountBehindNamespace) && message_is_binary(kind) && !name.is_empty() {
        format!("4{kind}/{name},{}{tail}", &start[2..])
    } else if faults.has(Fault::BinaryNamespaceLost) && message_is_binary(kind)
        || faults.has(Fault::AckNamespaceLost) && kind == "3"
    {
        format!("{start}{tail}")
    } else if faults.has(Fault::BinaryAckAsText) && kind == "6" {
        let mut text = format!("43{rest}");
        for (num, data) in packets[1..].iter().enumerate() {
            let placeholder = format!(r#"{{"_placeholder":true,"num":{num}}}"#);
            text = text.replacen(&placeholder, &format!("\"{}\"", STANDARD.encode(data.body())), 1);
        }
        return Some(Message::Text(EncodedPacket::fixed(&text)));
    } else {
        return None;
    };
    let header = EncodedPacket::fixed(&spelt);
    Some(match message {
        Message::Text(_) => Message::Text(header),
        Message::Binary(packets) => {
            Message::Binary(std::iter::once(header).chain(packets[1..].iter().cloned()).collect())
        }
    })
}

/// The rest of an event, with the first text in it in small letters.
fn with_small_name(rest: &str) -> String {
    let end = rest.find('[').and_then(|start| rest[start + 2..].find('"').map(|length| start + 2 + length));
    let (name, args) = rest.split_at(end.unwrap_or_default());
    name.to_lowercase() + args
}

fn message_is_binary(kind: &str) -> bool {
    matches!(kind, "5" | "6")
}
