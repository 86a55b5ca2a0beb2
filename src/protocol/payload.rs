//! Payloads: the packets in the body of one long-polling request or response.
//!
//! Specification: Engine.IO protocol v4, "Packet encoding", HTTP long-polling. The packets themselves are spelled in
//! [`super::engine_io`]; only here is a binary packet text, as `b` and base64.

use std::borrow::Cow;
use std::str::Split;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::engine_io::{self, Packet};
use super::violation::{Violation, excerpt};
use super::{Rule, socket_io};

/// Stands between two packets of a payload.
pub const SEPARATOR: char = '\x1e';

/// The packets of a body, in order, each read when it is asked for.
///
/// A body without a packet breaks the format and yields one violation. A violation costs only its own item: what
/// follows the next separator is read as if nothing had happened, and the caller decides whether to go on.
pub fn packets(body: &str) -> Packets<'_> {
    Packets(body.split(SEPARATOR))
}

/// The same for a body of bytes.
///
/// # Errors
/// When it is not UTF-8.
pub fn of_bytes(body: &[u8]) -> Result<Packets<'_>, Violation> {
    match std::str::from_utf8(body) {
        Ok(body) => Ok(packets(body)),
        Err(_) => {
            let detail = format!("{} bytes that are not came", body.len());
            Err(Violation::new(Rule::PayloadUtf8, detail))
        }
    }
}

/// See [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a>(Split<'a, char>);

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.0.next()?;
        Some(match item.strip_prefix('b') {
            Some(encoded) => decode_binary(encoded),
            None => engine_io::decode_text(item),
        })
    }
}

/// Appends a packet to a body, after a separator when the body holds something already.
///
/// A separator inside the packet's own text is written as it is and splits the packet for every reader; JSON has
/// none, as it escapes control characters.
pub fn append(packet: &Packet<'_>, body: &mut String) {
    if !body.is_empty() {
        body.push(SEPARATOR);
    }
    match packet {
        Packet::Binary(bytes) => {
            body.push('b');
            STANDARD.encode_string(bytes, body);
        }
        text => engine_io::encode_text(text, body),
    }
}

/// Padding is demanded, and unused bits must be zero: what a strict reader somewhere else would refuse is a finding.
fn decode_binary(encoded: &str) -> Result<Packet<'_>, Violation> {
    match STANDARD.decode(encoded) {
        Ok(bytes) => Ok(Packet::Binary(Cow::Owned(bytes))),
        Err(error) => {
            Err(Violation::new(Rule::PayloadBase64, format!("{} does not decode: {error}", excerpt(encoded))))
        }
    }
}

/// What a message holds that is a binary one without its letter: padded base64, and no packet of Socket.IO.
pub fn without_letter(text: &str) -> Option<(Vec<u8>, Violation)> {
    let bytes = STANDARD.decode(text).ok().filter(|_| socket_io::decode(text).is_err())?;
    let detail = format!("an attachment came as the message {}", excerpt(text));
    Some((bytes, Violation::new(Rule::PayloadBase64, detail)))
}

#[cfg(test)]
mod tests;
