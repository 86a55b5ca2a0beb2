//! permessage-deflate (RFC 7692), from the client's side: the offer, the server's answer to it, and messages.
//!
//! A compressor and a decompressor take memory, so each is made for the first message that needs it, and given up after
//! each message where the sides agreed on no context takeover. Short messages are sent as they are.

use std::fmt;

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Status};

use super::Rule;
use super::violation::Violation;

/// The header of the offer and of its answer.
pub const HEADER: &str = "Sec-WebSocket-Extensions";

/// What browsers offer.
pub const OFFER: &str = "permessage-deflate; client_max_window_bits";

/// Shorter messages are not compressed: `threshold` of the official client and server.
const THRESHOLD: usize = 1024;

/// The level of zlib that is its default, and that of the official client.
const LEVEL: i32 = 6;

/// What a sender takes off the end of a message, and a receiver puts back (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// More final blocks than any sender puts into a message.
const MOST_ENDS: u32 = 1000;

/// What the server has agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The server begins each message without the context of the one before.
    pub server_no_context: bool,
    /// We do.
    pub client_no_context: bool,
    /// How far back the server refers, as a power of two.
    pub server_bits: u8,
    /// How far back we may refer.
    pub client_bits: u8,
}

/// What the answer to a handshake agrees to; `headers` are the values of [`HEADER`] in it.
///
/// # Errors
/// When it accepts what was not offered, or in a way that RFC 7692 does not know: the client has to fail then (RFC 6455,
/// section 4.1, and RFC 7692, section 7.1).
pub fn agreed<'h>(
    headers: impl IntoIterator<Item = &'h str>,
    is_offered: bool,
) -> Result<Option<Agreed>, Violation> {
    let extensions: Vec<&str> =
        headers.into_iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    let wrong = |why: &str| {
        let answer: String = extensions.join(", ").chars().take(200).collect();
        Err(Violation::new(Rule::Extension, format!("{why}: {answer:?}")))
    };
    let extension = match extensions[..] {
        [] | [""] => return Ok(None),
        _ if !is_offered => return wrong("no extension was offered, and one was accepted"),
        [one] => one,
        _ => return wrong("one extension was offered, and several were accepted"),
    };
    let mut parameters = extension.split(';').map(str::trim);
    if parameters.next() != Some("permessage-deflate") {
        return wrong("permessage-deflate was offered, and another extension was accepted");
    }
    let mut agreed =
        Agreed { server_no_context: false, client_no_context: false, server_bits: 15, client_bits: 15 };
    let mut seen: Vec<&str> = Vec::new();
    for parameter in parameters {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return wrong("a parameter is there twice");
        }
        seen.push(name);
        match (name, value, value.and_then(bits)) {
            ("server_no_context_takeover", None, _) => agreed.server_no_context = true,
            ("client_no_context_takeover", None, _) => agreed.client_no_context = true,
            ("server_max_window_bits", _, Some(bits)) => agreed.server_bits = bits,
            ("client_max_window_bits", _, Some(bits)) => agreed.client_bits = bits,
            _ => return wrong("a parameter is unknown or has a wrong value"),
        }
    }
    Ok(Some(agreed))
}

/// RFC 7692, section 7.1.2: from 8 to 15, without leading zeros.
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(bits)
}

/// Compresses and decompresses the messages of one connection.
pub struct Deflating {
    agreed: Agreed,
    deflate: Option<Deflate>,
    inflate: Option<Inflate>,
}

impl fmt::Debug for Deflating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflating").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

impl Deflating {
    /// Nothing was said yet.
    pub fn new(agreed: Agreed) -> Deflating {
        Deflating { agreed, deflate: None, inflate: None }
    }

    /// The payload of a compressed message in one frame; none where the message is better sent as it is.
    pub fn deflate(&mut self, parts: &[impl AsRef<[u8]>]) -> Option<Vec<u8>> {
        let length: usize = parts.iter().map(|part| part.as_ref().len()).sum();
        // zlib makes no window of 2^8 bytes; a message may always be sent uncompressed (RFC 7692, section 6.1).
        if length < THRESHOLD || self.agreed.client_bits < 9 {
            return None;
        }
        let bits = self.agreed.client_bits;
        let deflate = self.deflate.get_or_insert_with(|| Deflate::new(LEVEL, false, bits));
        let mut out = vec![0; length / 2 + 64];
        let mut written = 0;
        for (index, part) in parts.iter().map(AsRef::as_ref).enumerate() {
            let is_last = index + 1 == parts.len();
            let flush = if is_last { DeflateFlush::SyncFlush } else { DeflateFlush::NoFlush };
            let mut read = 0;
            loop {
                let (before_in, before_out) = (deflate.total_in(), deflate.total_out());
                // It fails only where it is called in a wrong order.
                deflate.compress(&part[read..], &mut out[written..], flush).ok()?;
                read += (deflate.total_in() - before_in) as usize;
                written += (deflate.total_out() - before_out) as usize;
                if written < out.len() {
                    break;
                }
                out.resize(out.len() * 2, 0);
            }
        }
        out.truncate(written);
        if out.ends_with(&TAIL) {
            out.truncate(written - TAIL.len());
        }
        if self.agreed.client_no_context {
            self.deflate = None;
        }
        Some(out)
    }

    /// The message in the payload of its frames.
    ///
    /// # Errors
    /// When it is no deflated message, or one of more than `limit` bytes.
    pub fn inflate(&mut self, payload: &[u8], limit: u64) -> Result<Vec<u8>, Violation> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // zlib writes for 2^9 bytes where 2^8 were agreed on.
        let bits = self.agreed.server_bits.max(9);
        let inflate = self.inflate.get_or_insert_with(|| Inflate::new(false, bits));
        let mut message = Inflated { bytes: Vec::new(), written: 0, limit, ends: 0 };
        let done = message.take(inflate, payload).and_then(|()| message.take(inflate, &TAIL));
        if done.is_err() || self.agreed.server_no_context {
            self.inflate = None;
        }
        done?;
        message.bytes.truncate(message.written);
        Ok(message.bytes)
    }
}

/// A message while it is decompressed.
struct Inflated {
    bytes: Vec<u8>,
    written: usize,
    limit: usize,
    /// How many final blocks it had.
    ends: u32,
}

impl Inflated {
    fn take(&mut self, inflate: &mut Inflate, input: &[u8]) -> Result<(), Violation> {
        let mut read = 0;
        loop {
            if self.written == self.bytes.len() {
                // One byte more than allowed shows that it is too much.
                let wanted = (self.bytes.len() * 2).max(input.len() * 2).max(256);
                self.bytes.resize(wanted.min(self.limit.saturating_add(1)), 0);
            }
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(&input[read..], &mut self.bytes[self.written..], InflateFlush::SyncFlush)
                .map_err(|error| {
                    Violation::new(Rule::Deflate, format!("it cannot be read: {}", error.as_str()))
                })?;
            read += (inflate.total_in() - before_in) as usize;
            self.written += (inflate.total_out() - before_out) as usize;
            if self.written > self.limit {
                let detail = format!("a compressed message has more than {} bytes", self.limit);
                return Err(Violation::new(Rule::MessageLimit, detail));
            }
            if status == Status::StreamEnd {
                // A sender may end a block for good (RFC 7692, section 7.2.3.4); what follows begins anew.
                inflate.reset(false);
                self.ends += 1;
                if self.ends > MOST_ENDS {
                    return Err(Violation::new(
                        Rule::Deflate,
                        format!("it ends more than {MOST_ENDS} times"),
                    ));
                }
                if read == input.len() {
                    return Ok(());
                }
            } else if self.written < self.bytes.len() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
