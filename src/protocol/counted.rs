//! Payloads of Engine.IO v3: each packet stands behind its length.
//!
//! Specification: Engine.IO protocol v3, "Payload". There are two forms. As text, the length is a decimal number of UTF-16
//! code units, as JavaScript counts characters, and a colon; a binary packet is `b`, its type and base64. As bytes, a
//! packet begins with `0` (text) or `1` (binary), the digits of its length in bytes, one byte each, and `255`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Rule;
use super::engine_io::{self, Packet};
use super::violation::{Violation, excerpt, excerpt_bytes};

/// The type of a message, in front of its bytes.
pub const MESSAGE: u8 = 4;

/// Ends the length of a packet in the form of bytes.
const END: u8 = 255;

/// More digits than any length has that fits into memory.
const MOST_DIGITS: usize = 15;

/// The packets of a body, in order, each read when it is asked for. A body without a packet breaks the format. What stands
/// behind a wrong length cannot be found, so that a violation of the length is the last item.
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
    begun: bool,
}

/// Reads a body in either form; the first byte tells which, for each packet.
pub fn packets(body: &[u8]) -> Packets<'_> {
    Packets { rest: body, begun: false }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() && std::mem::replace(&mut self.begun, true) {
            return None;
        }
        self.begun = true;
        let taken = match self.rest.first() {
            Some(0 | 1) => take_bytes(self.rest),
            _ => take_text(self.rest),
        };
        match taken {
            Ok((packet, rest)) => {
                self.rest = rest;
                Some(packet)
            }
            Err(violation) => {
                self.rest = &[];
                Some(Err(violation))
            }
        }
    }
}

/// What was read, and what stands behind it.
type Taken<'a> = Result<(Result<Packet<'a>, Violation>, &'a [u8]), Violation>;

fn take_text(body: &[u8]) -> Taken<'_> {
    let wrong = |why: &str| Violation::new(Rule::PayloadLength, format!("{why} in {}", excerpt_bytes(body)));
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > MOST_DIGITS || body.get(digits) != Some(&b':') {
        return Err(wrong("no length and colon stand at the beginning"));
    }
    let units = body[..digits].iter().fold(0_usize, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    let behind = &body[digits + 1..];
    let length = bytes_of(behind, units).ok_or_else(|| {
        wrong(&format!(
            "there are no {units} characters, counted as UTF-16 code units, behind the first colon"
        ))
    })?;
    let (packet, rest) = behind.split_at(length);
    let packet = match std::str::from_utf8(packet) {
        Ok(text) => decode_text(text),
        Err(_) => {
            let detail = format!("{} is not", excerpt_bytes(packet));
            Err(Violation::new(Rule::PayloadUtf8, detail))
        }
    };
    Ok((packet, rest))
}

/// How many bytes of UTF-8 so many UTF-16 code units take at the beginning; none when there are fewer, or when a character is
/// cut in two. Bytes that are no UTF-8 count as one unit each, as they do when they are replaced.
fn bytes_of(text: &[u8], units: usize) -> Option<usize> {
    let (mut at, mut left) = (0, units);
    while left > 0 {
        let (bytes, units) = match text.get(at)? {
            0xC0..=0xDF => (2, 1),
            0xE0..=0xEF => (3, 1),
            0xF0..=0xF7 => (4, 2),
            _ => (1, 1),
        };
        left = left.checked_sub(units)?;
        at += bytes;
    }
    (at <= text.len()).then_some(at)
}

fn take_bytes(body: &[u8]) -> Taken<'_> {
    let wrong = |why: &str| Violation::new(Rule::PayloadLength, format!("{why} in {}", excerpt_bytes(body)));
    let digits = body[1..].iter().take_while(|byte| **byte <= 9).count();
    if digits == 0 || digits > MOST_DIGITS || body.get(1 + digits) != Some(&END) {
        return Err(wrong("no digits and 255 stand behind the first byte"));
    }
    let length = body[1..=digits].iter().fold(0_usize, |sum, digit| sum * 10 + usize::from(*digit));
    let behind = &body[digits + 2..];
    let Some((packet, rest)) = behind.split_at_checked(length) else {
        return Err(wrong(&format!("there are no {length} bytes behind the first length")));
    };
    if body[0] == 1 {
        return Ok((decode_bytes(Cow::Borrowed(packet)), rest));
    }
    let packet = match std::str::from_utf8(packet) {
        Ok(text) => decode_text(text),
        Err(_) => Err(Violation::new(Rule::PayloadUtf8, format!("{} is not", excerpt_bytes(packet)))),
    };
    Ok((packet, rest))
}

/// Reads one textual packet: that of a WebSocket frame, or of a payload.
pub fn decode_text(text: &str) -> Result<Packet<'_>, Violation> {
    let Some(encoded) = text.strip_prefix('b') else { return engine_io::decode_text(text) };
    let Some(encoded) = encoded.strip_prefix('4') else {
        return Err(Violation::new(Rule::FrameType, format!("the packet is {}", excerpt(text))));
    };
    match STANDARD.decode(encoded) {
        Ok(bytes) => Ok(Packet::Binary(Cow::Owned(bytes))),
        Err(error) => {
            Err(Violation::new(Rule::PayloadBase64, format!("{} does not decode: {error}", excerpt(text))))
        }
    }
}

/// Reads one binary packet: that of a WebSocket frame, or of a payload.
pub fn decode_bytes(bytes: Cow<'_, [u8]>) -> Result<Packet<'_>, Violation> {
    if bytes.first() != Some(&MESSAGE) {
        return Err(Violation::new(Rule::FrameType, format!("it is {}", excerpt_bytes(&bytes))));
    }
    Ok(Packet::Binary(match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[1..]),
        Cow::Owned(mut bytes) => {
            bytes.remove(0);
            Cow::Owned(bytes)
        }
    }))
}

/// A packet as it is spelled: as the text, or as the bytes, of a WebSocket frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelled<'a> {
    /// A text, its type first.
    Text(&'a str),
    /// Bytes, their type first.
    Bytes(&'a [u8]),
}

impl Spelled<'_> {
    /// Appends it in the form of text.
    pub fn append_as_text(self, body: &mut Vec<u8>) {
        let mut encoded = String::new();
        let text = match self {
            Spelled::Text(text) => text,
            Spelled::Bytes(bytes) => {
                let (kind, data) = bytes.split_first().map_or((0, bytes), |(kind, data)| (*kind, data));
                encoded.push('b');
                encoded.push_str(&kind.to_string());
                STANDARD.encode_string(data, &mut encoded);
                &encoded
            }
        };
        let units = text.encode_utf16().count();
        body.extend_from_slice(units.to_string().as_bytes());
        body.push(b':');
        body.extend_from_slice(text.as_bytes());
    }

    /// Appends it in the form of bytes.
    pub fn append_as_bytes(self, body: &mut Vec<u8>) {
        let (kind, bytes) = match self {
            Spelled::Text(text) => (0, text.as_bytes()),
            Spelled::Bytes(bytes) => (1, bytes),
        };
        append_header(kind, bytes.len(), body);
        body.extend_from_slice(bytes);
    }
}

fn append_header(kind: u8, length: usize, body: &mut Vec<u8>) {
    body.push(kind);
    body.extend(length.to_string().bytes().map(|digit| digit - b'0'));
    body.push(END);
}

#[cfg(test)]
mod tests;
