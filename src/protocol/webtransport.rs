//! Engine.IO packets on a stream of WebTransport.
//!
//! Each packet stands behind its length, which tells in its highest bit whether the packet is bytes. The protocol's own page
//! does not write that down: the source is `createPacketEncoderStream` and `createPacketDecoderStream` of engine.io-parser
//! 5.2. [`write()`] spells a packet, [`Decoder`] reads them as they come, in pieces of any size.

use std::borrow::Cow;

use super::Rule;
use super::violation::{Violation, excerpt_bytes};
use super::websocket::Message;

/// The bit of the first byte that says that the packet is bytes.
const BINARY: u8 = 0x80;

/// In the place of a length: it follows in two bytes.
const IN_TWO: u8 = 126;

/// In the place of a length: it follows in eight bytes.
const IN_EIGHT: u8 = 127;

/// The greatest length: the greatest whole number that JavaScript is sure of.
const GREATEST: u64 = (1 << 53) - 1;

/// Appends a packet: the concatenation of `parts`, as text or as bytes.
///
/// An empty one leaves the protocol: who reads it as the official parser does takes the stream for broken.
pub fn write(out: &mut Vec<u8>, is_binary: bool, parts: &[impl AsRef<[u8]>]) {
    let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mark = if is_binary { BINARY } else { 0 };
    out.reserve(9 + length);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < IN_TWO => out.push(mark | length),
        (_, Ok(length)) => {
            out.push(mark | IN_TWO);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(mark | IN_EIGHT);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part.as_ref()));
}

/// What stands in front of a packet.
struct Header {
    is_binary: bool,
    /// How many bytes it takes itself.
    own: usize,
    payload: u64,
}

/// The header at the front of the buffer, or how many bytes have to be there for it.
fn header(buffer: &[u8]) -> Result<Header, usize> {
    let first = *buffer.first().ok_or(1_usize)?;
    let (own, payload) = match first & !BINARY {
        IN_TWO => {
            (3, u16::from_be_bytes(*buffer.get(1..).and_then(<[u8]>::first_chunk).ok_or(3_usize)?).into())
        }
        IN_EIGHT => (9, u64::from_be_bytes(*buffer.get(1..).and_then(<[u8]>::first_chunk).ok_or(9_usize)?)),
        length => (1, u64::from(length)),
    };
    Ok(Header { is_binary: first & BINARY != 0, own, payload })
}

/// Reads the packets of a stream. Between packets it is an empty buffer.
#[derive(Debug)]
pub struct Decoder {
    /// What was read of an unfinished packet.
    partial: Vec<u8>,
    /// The largest packet that is taken.
    limit: u64,
}

impl Decoder {
    /// One that takes packets of so many bytes.
    pub fn new(limit: u64) -> Decoder {
        Decoder { partial: Vec::new(), limit }
    }

    /// Takes the next packet off the input; `None` when the input is used up. A packet that stands whole in the input is
    /// borrowed from it. A length that is not allowed is told before the packet arrives.
    ///
    /// # Errors
    /// When the stream cannot be read on.
    pub fn read<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Message<'a>>, Violation> {
        if self.partial.is_empty() {
            let bytes = *input;
            let (end, header) = self.extent(bytes)?;
            if let Some(header) = header.filter(|_| bytes.len() >= end) {
                *input = &bytes[end..];
                return message(header.is_binary, Cow::Borrowed(&bytes[header.own..end])).map(Some);
            }
        }
        loop {
            let (end, header) = self.extent(&self.partial)?;
            if let Some(header) = header.filter(|_| self.partial.len() >= end) {
                let mut packet = std::mem::take(&mut self.partial);
                packet.drain(..header.own);
                return message(header.is_binary, Cow::Owned(packet)).map(Some);
            }
            if input.is_empty() {
                return Ok(None);
            }
            let (taken, rest) = input.split_at(input.len().min(end - self.partial.len()));
            self.partial.extend_from_slice(taken);
            *input = rest;
        }
    }

    /// How many bytes have to be there, of the header if not even that is.
    fn extent(&self, bytes: &[u8]) -> Result<(usize, Option<Header>), Violation> {
        let header = match header(bytes) {
            Ok(header) => header,
            Err(needed) => return Ok((needed, None)),
        };
        let wrong = |rule, detail: String| Err(Violation::new(rule, detail));
        match header.payload {
            0 => wrong(Rule::StreamLength, "a packet of no bytes came".to_owned()),
            length if length > GREATEST => {
                wrong(Rule::StreamLength, format!("a packet of {length} bytes was announced"))
            }
            length if length > self.limit => wrong(
                Rule::MessageLimit,
                format!("a packet of {length} bytes was announced, and {} are taken", self.limit),
            ),
            length => {
                let end = usize::try_from(length).ok().and_then(|length| length.checked_add(header.own));
                Ok((end.unwrap_or(usize::MAX), Some(header)))
            }
        }
    }
}

/// A packet as a message.
fn message(is_binary: bool, bytes: Cow<'_, [u8]>) -> Result<Message<'_>, Violation> {
    if is_binary {
        return Ok(Message::Binary(bytes));
    }
    let wrong = |bytes: &[u8]| Violation::new(Rule::StreamUtf8, format!("it is {}", excerpt_bytes(bytes)));
    Ok(Message::Text(match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| wrong(bytes))?,
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|error| wrong(error.as_bytes()))?
        }
    }))
}

#[cfg(test)]
mod tests;
