//! Socket.IO packets as MessagePack: what servers speak that use the parser of the npm package `socket.io-msgpack-parser`.
//!
//! Each packet is one binary message of Engine.IO, a map of `type`, `nsp`, `data` and `id`; bytes stand where they belong, so
//! that there are no attachments and no types of packets for them. Above this codec everybody sees what the usual parser
//! would have shown: payloads as JSON text, and placeholders with attachments in place of bytes.
//!
//! Source: `socket.io-msgpack-parser` 3.0 and the codec that it uses, `notepack.io` 2.2. That codec has extensions of its own:
//! type 0 stands for `undefined` (one byte), a `Date` (eight bytes, milliseconds) and an `ArrayBuffer` (its length in front);
//! any other is an array of the type and the bytes. Here they are shown as JSON does: `undefined` leaves its key out or is
//! `null`, and a `Date` is its text.

use std::fmt::Write;

use bytes::Bytes;
use rmp::Marker;
use rmp::encode;
use serde_json::Value;

use super::socket_io::{Kind, Packet};
use super::violation::{Violation, excerpt, excerpt_bytes};
use super::{Rule, placeholder, placeholder_num};

/// As deep as values may be nested, which is also what JSON readers allow.
const MOST_DEPTH: usize = 128;

/// How many values of bytes a packet may bring: as many as announced attachments may be.
const MOST_ATTACHMENTS: usize = 256;

/// The extension of `notepack.io` for what MessagePack has no type for.
const OWN: i8 = 0;

/// Integers up to here are exact as floating-point numbers, too.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A packet with its bytes apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its type, which never is one of the binary ones.
    pub kind: Kind,
    /// The namespace.
    pub namespace: String,
    /// The acknowledgement id.
    pub id: Option<u64>,
    /// The payload as JSON text, with placeholders for the attachments.
    pub data: Option<String>,
    /// The bytes in the payload, in their order.
    pub attachments: Vec<Bytes>,
}

impl Decoded {
    /// The packet as the usual parser would have read it.
    pub fn packet(&self) -> Packet<'_> {
        Packet {
            kind: self.kind,
            attachments: self.attachments.len() as u32,
            namespace: &self.namespace,
            id: self.id,
            data: self.data.as_deref(),
        }
    }
}

/// Reads one packet.
///
/// # Errors
/// When the bytes are no MessagePack, or no packet.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Violation> {
    let mut reader = Reader { rest: bytes, attachments: Vec::new() };
    let fields = reader.packet().and_then(|fields| match reader.rest {
        [] => Ok(fields),
        rest => Err(format!("{} bytes stand behind the packet", rest.len())),
    });
    let wrong = |what: &str| Violation::new(Rule::Msgpack, format!("{what} in {}", excerpt_bytes(bytes)));
    let fields = fields.map_err(|what| wrong(&what))?;
    let kind = match fields.kind.and_then(|digit| Kind::ALL.get(usize::try_from(digit).ok()?)) {
        Some(kind) if !kind.is_binary() => *kind,
        _ => return Err(Violation::new(Rule::PacketType, format!("the packet is {}", excerpt_bytes(bytes)))),
    };
    let namespace = fields.namespace.ok_or_else(|| wrong("there is no namespace"))?;
    let id = match fields.id {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(json)) => return Err(Violation::new(Rule::AckId, format!("the id is {}", excerpt(&json)))),
    };
    let decoded = Decoded { kind, namespace, id, data: fields.data, attachments: reader.attachments };
    decoded.packet().check_opening(decoded.data.as_deref().unwrap_or_default())?;
    Ok(decoded)
}

/// A packet as the usual parser would have written its text, for people.
pub fn shown(bytes: &[u8]) -> Option<String> {
    let decoded = decode(bytes).ok()?;
    let mut text = String::new();
    decoded.packet().encode(&mut text);
    Some(text)
}

/// What is wrong with a message of text: this parser writes none.
pub fn no_bytes(text: &str) -> Violation {
    Violation::new(Rule::Msgpack, format!("the text {} came, as the usual parser writes it", excerpt(text)))
}

/// Writes a packet, with the attachments where their placeholders stand. A binary kind is written as the kind without bytes.
pub fn encode(packet: &Packet<'_>, attachments: &[Bytes]) -> Vec<u8> {
    let kind = match packet.kind {
        Kind::BinaryEvent => Kind::Event,
        Kind::BinaryAck => Kind::Ack,
        kind => kind,
    };
    let mut out = Vec::with_capacity(32 + packet.data.map_or(0, str::len));
    let fields = 2 + u32::from(packet.data.is_some()) + u32::from(packet.id.is_some());
    let written = (|| {
        encode::write_map_len(&mut out, fields)?;
        encode::write_str(&mut out, "type")?;
        encode::write_uint(&mut out, kind as u64)?;
        encode::write_str(&mut out, "nsp")?;
        encode::write_str(&mut out, packet.namespace)?;
        if let Some(data) = packet.data {
            encode::write_str(&mut out, "data")?;
            // What is no JSON can only be text.
            let value = serde_json::from_str(data).unwrap_or_else(|_| Value::from(data));
            write_value(&mut out, &value, attachments)?;
        }
        if let Some(id) = packet.id {
            encode::write_str(&mut out, "id")?;
            encode::write_uint(&mut out, id)?;
        }
        Ok::<(), encode::ValueWriteError<std::io::Error>>(())
    })();
    debug_assert!(written.is_ok(), "memory takes every byte");
    out
}

fn write_value(
    out: &mut Vec<u8>,
    value: &Value,
    attachments: &[Bytes],
) -> Result<(), encode::ValueWriteError<std::io::Error>> {
    if let Some(bytes) =
        placeholder_num(value).and_then(|number| attachments.get(usize::try_from(number).ok()?))
    {
        return encode::write_bin(out, bytes);
    }
    match value {
        Value::Null => encode::write_nil(out).map_err(encode::ValueWriteError::InvalidMarkerWrite)?,
        Value::Bool(value) => {
            encode::write_bool(out, *value).map_err(encode::ValueWriteError::InvalidMarkerWrite)?;
        }
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => _ = encode::write_uint(out, number)?,
            (_, Some(number), _) => _ = encode::write_sint(out, number)?,
            // As JavaScript does, which has no other numbers.
            (_, _, Some(number)) if number.fract() == 0.0 && number.abs() <= EXACT => {
                encode::write_sint(out, number as i64)?;
            }
            (_, _, number) => encode::write_f64(out, number.unwrap_or(f64::NAN))?,
        },
        Value::String(text) => encode::write_str(out, text)?,
        Value::Array(items) => {
            encode::write_array_len(out, items.len() as u32)?;
            for item in items {
                write_value(out, item, attachments)?;
            }
        }
        Value::Object(fields) => {
            encode::write_map_len(out, fields.len() as u32)?;
            for (key, value) in fields {
                encode::write_str(out, key)?;
                write_value(out, value, attachments)?;
            }
        }
    }
    Ok(())
}

/// What a packet says of itself, before it is judged.
#[derive(Default)]
struct PacketFields {
    kind: Option<u64>,
    namespace: Option<String>,
    id: Option<Result<u64, String>>,
    data: Option<String>,
}

/// Whether a value is one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Value,
    Undefined,
}

struct Reader<'a> {
    rest: &'a [u8],
    attachments: Vec<Bytes>,
}

/// What is wrong, as a fragment.
type Wrong = String;

impl<'a> Reader<'a> {
    fn packet(&mut self) -> Result<PacketFields, Wrong> {
        let marker = self.marker()?;
        let Some(count) = self.map_length(marker)? else { return Err("there is no map".to_owned()) };
        let mut fields = PacketFields::default();
        for _ in 0..count {
            let name = self.key(1)?;
            let before = self.attachments.len();
            let mut json = String::new();
            let found = self.value(&mut json, 1)?;
            match (name.as_str(), found) {
                (r#""data""#, Found::Value) => {
                    fields.data = Some(json);
                    continue;
                }
                (r#""type""#, Found::Value) => fields.kind = json.parse().ok(),
                (r#""nsp""#, Found::Value) => fields.namespace = serde_json::from_str(&json).ok(),
                (r#""id""#, Found::Value) => fields.id = Some(json.parse().map_err(|_| json)),
                _ => {}
            }
            // Bytes in other fields belong to nobody.
            self.attachments.truncate(before);
        }
        Ok(fields)
    }

    /// Appends a value as JSON. Nothing is appended for `undefined`.
    fn value(&mut self, out: &mut String, depth: usize) -> Result<Found, Wrong> {
        if depth > MOST_DEPTH {
            return Err(format!("values are nested more than {MOST_DEPTH} deep"));
        }
        let marker = self.marker()?;
        if let Some(length) = self.map_length(marker)? {
            self.map(length, out, depth)?;
            return Ok(Found::Value);
        }
        match marker {
            Marker::Null => out.push_str("null"),
            Marker::False => out.push_str("false"),
            Marker::True => out.push_str("true"),
            Marker::FixPos(number) => push(out, number),
            Marker::FixNeg(number) => push(out, number),
            Marker::U8 => push(out, self.number::<1>()?[0]),
            Marker::U16 => push(out, u16::from_be_bytes(self.number()?)),
            Marker::U32 => push(out, u32::from_be_bytes(self.number()?)),
            Marker::U64 => push(out, u64::from_be_bytes(self.number()?)),
            Marker::I8 => push(out, i8::from_be_bytes(self.number()?)),
            Marker::I16 => push(out, i16::from_be_bytes(self.number()?)),
            Marker::I32 => push(out, i32::from_be_bytes(self.number()?)),
            Marker::I64 => push(out, i64::from_be_bytes(self.number()?)),
            Marker::F32 => push_float(out, f32::from_be_bytes(self.number()?).into()),
            Marker::F64 => push_float(out, f64::from_be_bytes(self.number()?)),
            Marker::FixStr(length) => self.text(length.into(), out)?,
            Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let length = self.length(marker)?;
                self.text(length, out)?;
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.length(marker)?;
                self.bytes(length, out)?;
            }
            Marker::FixArray(length) => self.array(length.into(), out, depth)?,
            Marker::Array16 | Marker::Array32 => {
                let length = self.length(marker)?;
                self.array(length, out, depth)?;
            }
            Marker::FixExt1 => return self.extension(1, true, out),
            Marker::FixExt2 => return self.extension(2, true, out),
            Marker::FixExt4 => return self.extension(4, true, out),
            Marker::FixExt8 => return self.extension(8, true, out),
            Marker::FixExt16 => return self.extension(16, true, out),
            Marker::Ext8 | Marker::Ext16 | Marker::Ext32 => {
                let length = self.length(marker)?;
                return self.extension(length, false, out);
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 | Marker::Reserved => {
                return Err("there is a byte that MessagePack never uses".to_owned());
            }
        }
        Ok(Found::Value)
    }

    /// The key of a map, as JSON text in quotes whatever it is: JavaScript makes a text of each.
    fn key(&mut self, depth: usize) -> Result<String, Wrong> {
        let before = self.attachments.len();
        let mut json = String::new();
        let found = self.value(&mut json, depth + 1)?;
        // A key has no attachments.
        let bytes = self.attachments.split_off(before);
        Ok(match found {
            Found::Undefined => r#""undefined""#.to_owned(),
            Found::Value if json.starts_with('"') => json,
            Found::Value => {
                let value = serde_json::from_str(&json).unwrap_or_default();
                Value::from(text_of(&value, before, &bytes)).to_string()
            }
        })
    }

    fn map(&mut self, length: usize, out: &mut String, depth: usize) -> Result<(), Wrong> {
        out.push('{');
        let mut is_first = true;
        for _ in 0..length {
            let end = out.len();
            if !is_first {
                out.push(',');
            }
            out.push_str(&self.key(depth)?);
            out.push(':');
            match self.value(out, depth + 1)? {
                Found::Value => is_first = false,
                Found::Undefined => out.truncate(end),
            }
        }
        out.push('}');
        Ok(())
    }

    fn array(&mut self, length: usize, out: &mut String, depth: usize) -> Result<(), Wrong> {
        out.push('[');
        for index in 0..length {
            if index > 0 {
                out.push(',');
            }
            if self.value(out, depth + 1)? == Found::Undefined {
                out.push_str("null");
            }
        }
        out.push(']');
        Ok(())
    }

    fn text(&mut self, length: usize, out: &mut String) -> Result<(), Wrong> {
        // A server in JavaScript may write half a surrogate pair, which is no UTF-8.
        let text = String::from_utf8_lossy(self.take(length)?);
        out.push_str(&Value::from(text).to_string());
        Ok(())
    }

    fn bytes(&mut self, length: usize, out: &mut String) -> Result<(), Wrong> {
        let bytes = Bytes::copy_from_slice(self.take(length)?);
        if self.attachments.len() == MOST_ATTACHMENTS {
            return Err(format!("there are more than {MOST_ATTACHMENTS} values of bytes"));
        }
        out.push_str(&placeholder(self.attachments.len()).to_string());
        self.attachments.push(bytes);
        Ok(())
    }

    fn extension(&mut self, length: usize, is_fixed: bool, out: &mut String) -> Result<Found, Wrong> {
        let kind = i8::from_be_bytes(self.number()?);
        match (kind, length, is_fixed) {
            (OWN, 1, true) => {
                self.take(1)?;
                return Ok(Found::Undefined);
            }
            (OWN, 8, true) => {
                let time = i64::from_be_bytes(self.number()?);
                match jiff::Timestamp::from_millisecond(time) {
                    Ok(time) => out.push_str(&Value::from(format!("{time:.3}")).to_string()),
                    Err(_) => out.push_str("null"),
                }
            }
            (OWN, _, false) => self.bytes(length, out)?,
            _ => {
                out.push('[');
                push(out, kind);
                out.push(',');
                self.bytes(length, out)?;
                out.push(']');
            }
        }
        Ok(Found::Value)
    }

    fn map_length(&mut self, marker: Marker) -> Result<Option<usize>, Wrong> {
        Ok(match marker {
            Marker::FixMap(length) => Some(length.into()),
            Marker::Map16 | Marker::Map32 => Some(self.length(marker)?),
            _ => None,
        })
    }

    /// The length that stands behind a marker.
    fn length(&mut self, marker: Marker) -> Result<usize, Wrong> {
        Ok(match marker {
            Marker::Str8 | Marker::Bin8 | Marker::Ext8 => self.number::<1>()?[0].into(),
            Marker::Str16 | Marker::Bin16 | Marker::Ext16 | Marker::Array16 | Marker::Map16 => {
                u16::from_be_bytes(self.number()?).into()
            }
            _ => u32::from_be_bytes(self.number()?) as usize,
        })
    }

    fn marker(&mut self) -> Result<Marker, Wrong> {
        Ok(Marker::from_u8(self.number::<1>()?[0]))
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or("it ends too early")?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Wrong> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(bytes)
    }
}

/// The text that JavaScript makes of a value, where `bytes` are the attachments from number `first` on. It grows no faster
/// than the value: JSON of JSON of JSON would double with each level.
fn text_of(value: &Value, first: usize, bytes: &[Bytes]) -> String {
    let number = placeholder_num(value).and_then(|number| usize::try_from(number).ok()?.checked_sub(first));
    if let Some(bytes) = number.and_then(|index| bytes.get(index)) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => "[object Object]".to_owned(),
        Value::Array(items) => {
            let texts = items.iter().map(|item| match item {
                Value::Null => String::new(),
                item => text_of(item, first, bytes),
            });
            texts.collect::<Vec<_>>().join(",")
        }
        value => value.to_string(),
    }
}

fn push(out: &mut String, number: impl std::fmt::Display) {
    write!(out, "{number}").expect("a text takes every character");
}

/// As `JSON.stringify` does: whole numbers without a point, and `null` for what JSON has no number for.
fn push_float(out: &mut String, number: f64) {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        push(out, number as i64);
    } else {
        out.push_str(&Value::from(number).to_string());
    }
}

#[cfg(test)]
mod tests;
