//! What was otherwise before Engine.IO protocol v4: payloads that count, binary packets that bear their type, pings of the
//! client.
//!
//! Spec: Engine.IO protocol v3, "Packet", "Payload", "Timers"; lengths as the official parser of that time counts them, in
//! UTF-16 code units in the form of text and in bytes in that of bytes.

use std::collections::VecDeque;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::packet::{EncodedPacket, InvalidPacket, Packet};
use super::request::Version;
use super::session::{Session, State};
use crate::faults::Fault;

/// The type of a message, in front of its bytes.
const MESSAGE: u8 = 4;

/// Ends a length in the form of bytes.
const END: u8 = 255;

/// Reads a packet that arrived as text: `b4` and base64 is a binary one.
pub(crate) fn from_text(text: &str) -> Result<Packet<'_>, InvalidPacket> {
    match text.strip_prefix("b4") {
        Some(encoded) => {
            STANDARD.decode(encoded).map(|data| Packet::Binary(Bytes::from(data))).map_err(|_| InvalidPacket)
        }
        None => Packet::from_text(text),
    }
}

/// Reads a packet that arrived as bytes.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Packet<'static>, InvalidPacket> {
    match bytes {
        [MESSAGE, data @ ..] => Ok(Packet::Binary(Bytes::copy_from_slice(data))),
        _ => Err(InvalidPacket),
    }
}

/// The packets of a request body, in order; nothing follows an invalid one. The first byte tells the form.
fn decode(body: &[u8]) -> Vec<Result<Packet<'_>, InvalidPacket>> {
    let (mut packets, mut rest) = (Vec::new(), body);
    loop {
        let next = match rest.first() {
            Some(0 | 1) => bytes_element(rest),
            _ => text_element(rest),
        };
        let Some((packet, behind)) = next else {
            packets.push(Err(InvalidPacket));
            return packets;
        };
        packets.push(packet);
        rest = behind;
        if rest.is_empty() {
            return packets;
        }
    }
}

type Element<'a> = Option<(Result<Packet<'a>, InvalidPacket>, &'a [u8])>;

fn text_element(body: &[u8]) -> Element<'_> {
    let colon = body.iter().take(12).position(|byte| *byte == b':')?;
    let units: usize = std::str::from_utf8(&body[..colon]).ok()?.parse().ok()?;
    let text = match std::str::from_utf8(&body[colon + 1..]) {
        Ok(text) => text,
        Err(_) => return None,
    };
    let mut left = units;
    let mut end = 0;
    for letter in text.chars() {
        if left == 0 {
            break;
        }
        left = left.checked_sub(letter.len_utf16())?;
        end += letter.len_utf8();
    }
    (left == 0).then(|| (from_text(&text[..end]), &text.as_bytes()[end..]))
}

fn bytes_element(body: &[u8]) -> Element<'_> {
    let end = body.iter().take(12).position(|byte| *byte == END)?;
    let digits = body[1..end].iter().map(|digit| (*digit < 10).then_some(usize::from(*digit)));
    let length = digits.into_iter().try_fold(0, |sum, digit| Some(sum * 10 + digit?))?;
    let (packet, behind) = body[end + 1..].split_at_checked(length)?;
    let read = match body[0] {
        1 => from_bytes(packet),
        _ => std::str::from_utf8(packet).map_err(|_| InvalidPacket).and_then(from_text),
    };
    Some((read, behind))
}

fn push_length(body: &mut Vec<u8>, packet: &EncodedPacket) {
    body.push(u8::from(packet.is_binary()));
    body.extend(packet.body().len().to_string().bytes().map(|digit| digit - b'0'));
    body.push(END);
}

impl Session {
    /// Whether the client speaks the version before this.
    pub(crate) fn is_older(&self) -> bool {
        self.handshake.version == Version::V3
    }

    /// Joins packets into a response body.
    pub(super) fn encode_older(&self, packets: &VecDeque<EncodedPacket>) -> Vec<u8> {
        let mut body = Vec::new();
        let base64 = self.handshake.base64 && !self.has(Fault::OlderBase64Ignored);
        if packets.iter().any(EncodedPacket::is_binary) && !base64 {
            for packet in packets {
                push_length(&mut body, packet);
                body.extend_from_slice(packet.body());
            }
            return body;
        }
        for packet in packets {
            let text = match (packet.is_binary(), packet.body()) {
                (true, [kind, data @ ..]) => format!("b{kind}{}", STANDARD.encode(data)),
                (_, text) => String::from_utf8_lossy(text).into_owned(),
            };
            let length = match self.has(Fault::OlderLengthsInBytes) {
                true => text.len(),
                false => text.encode_utf16().count(),
            };
            body.extend_from_slice(format!("{length}:{text}").as_bytes());
        }
        body
    }

    /// The body of a POST, handled packet by packet until one is invalid or the session ends.
    pub(super) fn handle_older_payload(self: &Rc<Self>, body: &[u8]) {
        let mut packets = decode(body);
        if self.has(Fault::OlderFirstPacketOnly) {
            packets.truncate(1);
        }
        for packet in packets {
            match packet {
                Ok(packet) => self.handle_packet(packet),
                Err(InvalidPacket) => self.handle_invalid(),
            }
            if self.state.get() != State::Open {
                break;
            }
        }
    }

    /// A binary packet bears its type.
    pub(super) fn typed(&self, packet: EncodedPacket) -> EncodedPacket {
        if !self.is_older() || !packet.is_binary() || self.has(Fault::OlderBinaryUntyped) {
            return packet;
        }
        EncodedPacket::binary(&[&[MESSAGE], packet.body()].concat())
    }

    /// A ping of the client.
    pub(super) fn answer_ping(self: &Rc<Self>, content: &str) {
        if !self.has(Fault::OlderPingUnanswered) {
            let content = if self.has(Fault::OlderPongEmpty) { "" } else { content };
            self.send_packet(EncodedPacket::fixed(&format!("3{content}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Vec<Result<Packet<'_>, InvalidPacket>> {
        decode(body)
    }

    #[test]
    fn lengths_of_text_count_utf_16() {
        assert_eq!(
            read("3:4\u{1F600}1:210:b4AQIDBA==".as_bytes()),
            [
                Ok(Packet::Message("\u{1F600}")),
                Ok(Packet::Ping("")),
                Ok(Packet::Binary(Bytes::from_static(&[1, 2, 3, 4])))
            ]
        );
    }

    #[test]
    fn in_the_form_of_bytes_lengths_count_bytes() {
        let body = [&[0, 4, 255][..], "4€".as_bytes(), &[1, 3, 255, 4, 7, 8]].concat();
        let binary = Ok(Packet::Binary(Bytes::from_static(&[7, 8])));
        assert_eq!(read(&body), [Ok(Packet::Message("€")), binary]);
    }

    #[test]
    fn nothing_follows_what_is_no_packet() {
        let bodies: [&[u8]; 7] =
            [b"", b"4a", b"3:4a", b"2:\xff4a", &[0, 2, b'4'], &[1, 255], &[1, 200, 255, 4]];
        for body in bodies {
            assert_eq!(read(body), [Err(InvalidPacket)], "{body:?}");
        }
        assert_eq!(read(b"2:4ax"), [Ok(Packet::Message("a")), Err(InvalidPacket)]);
    }
}
