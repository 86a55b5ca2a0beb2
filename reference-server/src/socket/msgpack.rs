//! Packets as the parser `socket.io-msgpack-parser` writes them: each one binary message, a MessagePack map of `type`, `nsp`,
//! `data` and `id` with the bytes where they belong.
//!
//! Everything above knows packets as the usual parser has them, so that a packet is translated where it comes in and where it
//! goes out. The extensions are those of `notepack.io`: type 0 stands for `undefined`, a `Date` and an `ArrayBuffer`.

use bytes::Bytes;
use rmpv::{Integer, Utf8String, Value};
use serde_json::{Map, Value as Json, json};

use super::decoder::Assembled;
use super::message::Message;
use super::packet::{MAX_ATTACHMENTS, ParseError};
use crate::engine::packet::EncodedPacket;

/// As deep as JSON readers go.
const MAX_DEPTH: usize = 120;

/// The packet as one binary message.
pub(super) fn write(message: &Message) -> EncodedPacket {
    let (header, attachments) = message.packets().split_first().expect("a message has a header");
    let text = std::str::from_utf8(header.body()).unwrap_or_default();
    // The type of the Engine.IO message comes first.
    let (kind, mut rest) = text.get(1..).unwrap_or_default().split_at_checked(1).unwrap_or_default();
    let kind = match kind.parse().unwrap_or(0) {
        binary @ (5 | 6) => {
            rest = rest.split_once('-').map_or(rest, |(_, rest)| rest);
            binary - 3
        }
        kind => kind,
    };
    let mut namespace = "/";
    if rest.starts_with('/') {
        (namespace, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, payload) = rest.split_at(digits);
    let mut fields = vec![field("type", Value::from(kind)), field("nsp", Value::from(namespace))];
    if let Ok(id) = id.parse::<u64>() {
        fields.push(field("id", Value::from(id)));
    }
    if let Ok(data) = serde_json::from_str(payload) {
        fields.push(field("data", packed(data, attachments)));
    }
    let mut out = Vec::new();
    rmpv::encode::write_value(&mut out, &Value::Map(fields)).expect("memory takes every byte");
    EncodedPacket::binary(&out)
}

/// Reads the packet of one binary message.
/// Fails when it is not MessagePack, or not a packet.
pub(super) fn read(mut bytes: &[u8]) -> Result<Assembled, ParseError> {
    let value = rmpv::decode::read_value_with_max_depth(&mut bytes, MAX_DEPTH);
    let (Ok(Value::Map(fields)), true) = (value, bytes.is_empty()) else { return Err(ParseError::Msgpack) };
    let (mut kind, mut namespace, mut id, mut payload) = (None, None, None, None);
    let mut attachments = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            Some("type") => kind = value.as_u64().filter(|kind| *kind <= 4),
            Some("nsp") => namespace = value.as_str().filter(|name| !name.contains(',')).map(str::to_owned),
            Some("id") if !is_undefined(&value) => id = Some(value.as_u64().ok_or(ParseError::AckId)?),
            Some("data") => payload = unpacked(value, &mut attachments),
            _ => {}
        }
    }
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(ParseError::TooManyAttachments);
    }
    let kind = kind.ok_or(ParseError::UnknownType)?;
    let namespace = namespace.ok_or(ParseError::Msgpack)?;
    let mut text = match (kind, attachments.len()) {
        (2 | 3, count @ 1..) => format!("{}{count}-", kind + 3),
        _ => kind.to_string(),
    };
    if namespace != "/" {
        text.push_str(&namespace);
        text.push(',');
    }
    text.extend(id.map(|id| id.to_string()));
    text.extend(payload.map(|payload| payload.to_string()));
    Ok(Assembled::new(text, attachments))
}

fn field(name: &str, value: Value) -> (Value, Value) {
    (Value::from(name), value)
}

fn placeholder_num(object: &Map<String, Json>) -> Option<usize> {
    (object.get("_placeholder") == Some(&Json::Bool(true)))
        .then(|| object.get("num")?.as_u64())?
        .map(|num| num as usize)
}

/// JSON as MessagePack, with the attachments where their placeholders stand.
fn packed(value: Json, attachments: &[EncodedPacket]) -> Value {
    match value {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::from(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (_, Some(number)) => Value::from(number),
            _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text),
        Json::Array(items) => {
            items.into_iter().map(|item| packed(item, attachments)).collect::<Vec<_>>().into()
        }
        Json::Object(fields) => match placeholder_num(&fields).and_then(|num| attachments.get(num)) {
            Some(attachment) => Value::Binary(attachment.body().to_vec()),
            None => {
                let fields =
                    fields.into_iter().map(|(key, value)| (Value::from(key), packed(value, attachments)));
                Value::Map(fields.collect())
            }
        },
    }
}

fn is_undefined(value: &Value) -> bool {
    matches!(value, Value::Ext(0, bytes) if bytes.len() == 1)
}

/// MessagePack as JSON, with placeholders for bytes. `None` stands for `undefined`.
fn unpacked(value: Value, attachments: &mut Vec<Bytes>) -> Option<Json> {
    if is_undefined(&value) {
        return None;
    }
    let mut attach = |bytes: Vec<u8>| {
        attachments.push(Bytes::from(bytes));
        json!({ "_placeholder": true, "num": attachments.len() - 1 })
    };
    Some(match value {
        Value::Nil => Json::Null,
        Value::Boolean(value) => Json::Bool(value),
        Value::Integer(number) => whole(number),
        Value::F32(number) => Json::from(f64::from(number)),
        Value::F64(number) => Json::from(number),
        Value::String(text) => Json::from(lossy(&text)),
        Value::Binary(bytes) => attach(bytes),
        // A date, in milliseconds.
        Value::Ext(0, bytes) if bytes.len() == 8 => {
            i64::from_be_bytes(bytes.try_into().unwrap_or_default()).into()
        }
        Value::Ext(0, bytes) => attach(bytes),
        Value::Ext(kind, bytes) => json!([kind, attach(bytes)]),
        Value::Array(items) => {
            items.into_iter().map(|item| unpacked(item, attachments).unwrap_or(Json::Null)).collect()
        }
        Value::Map(fields) => {
            let named = |(key, value): (Value, Value)| Some((name(&key), unpacked(value, attachments)?));
            Json::Object(fields.into_iter().filter_map(named).collect())
        }
    })
}

fn whole(number: Integer) -> Json {
    number.as_u64().map(Json::from).or(number.as_i64().map(Json::from)).unwrap_or_default()
}

/// JavaScript makes a text of every key.
fn name(key: &Value) -> String {
    match key {
        Value::String(text) => lossy(text),
        other => other.to_string(),
    }
}

fn lossy(text: &Utf8String) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        rmpv::encode::write_value(&mut out, value).unwrap();
        out
    }

    #[test]
    fn an_event_with_bytes_goes_out_and_comes_in_as_one_message() {
        let args = Args::event("news").with_binary(Bytes::from_static(b"\x01\x02"));
        let written = write(&Message::event("/admin", Some(7), &args));
        let value = rmpv::decode::read_value(&mut written.body()).unwrap();
        assert_eq!(
            value,
            Value::Map(vec![
                field("type", Value::from(2)),
                field("nsp", Value::from("/admin")),
                field("id", Value::from(7)),
                field("data", Value::Array(vec![Value::from("news"), Value::Binary(vec![1, 2])])),
            ])
        );
        let read = read(written.body()).unwrap();
        let packet = read.packet().unwrap();
        assert_eq!((&*packet.name, packet.namespace, packet.id), ("news", "/admin", Some("7")));
        assert_eq!(Args::new().with_all(&packet.args).attachments(), ["\x01\x02"]);
    }

    #[test]
    fn what_javascript_has_and_json_has_not_is_read_as_json_writes_it() {
        let undefined = || Value::Ext(0, vec![0]);
        let data = Value::Array(vec![
            Value::from("e"),
            undefined(),
            Value::Map(vec![field("gone", undefined()), field("is", Value::from(1))]),
        ]);
        let packet = vec![
            field("type", Value::from(2)),
            field("nsp", Value::from("/")),
            field("data", data),
            field("id", undefined()),
        ];
        let read = read(&bytes(&Value::Map(packet))).unwrap();
        assert_eq!(Args::new().with_all(&read.packet().unwrap().args).json(), r#"null,{"is":1}"#);
        assert_eq!(read.packet().unwrap().id, None);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let nested = (0..200).fold(Value::Nil, |value, _| Value::Array(vec![value]));
        for wrong in [
            vec![],
            b"0".to_vec(),
            bytes(&Value::Map(vec![field("type", Value::from(2))])),
            bytes(&Value::Map(vec![field("type", Value::from(9)), field("nsp", Value::from("/"))])),
            bytes(&Value::Map(vec![
                field("type", Value::from(2)),
                field("nsp", Value::from("/")),
                field("data", nested),
            ])),
        ] {
            assert!(read(&wrong).and_then(|read| read.packet().map(drop)).is_err(), "{wrong:?}");
        }
    }
}
