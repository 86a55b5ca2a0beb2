//! Engine.IO packets: one type digit, then the content.
//!
//! Spec: Engine.IO protocol v4, "Packet encoding". Incoming packets are borrowed views; outgoing ones are
//! [`EncodedPacket`]s, framed once so that a broadcast shares one allocation among all its receivers.
//! Neighbours: `payload` joins packets for HTTP long-polling, `websocket::frame` reads what clients send.

use bytes::{Buf, Bytes};

use crate::websocket::frame;

/// A packet as a client may send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// `0`: only a server opens; from a client it is meaningless.
    Open,
    /// `1`: this transport can be closed.
    Close,
    /// `2`: with `probe` as content while upgrading.
    Ping(&'a str),
    /// `3`: the answer to a ping.
    Pong(&'a str),
    /// `4`: text for the layer above.
    Message(&'a str),
    /// `5`: the upgrade is complete.
    Upgrade,
    /// `6`: nothing; releases a pending poll.
    Noop,
    /// Binary content for the layer above: a binary WebSocket frame, or `b` and base64 in a payload.
    Binary(Bytes),
}

/// The text is not a packet of this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidPacket;

impl<'a> Packet<'a> {
    /// Reads a packet that arrived as text (a WebSocket text frame, or one element of a payload).
    /// Fails when the text is empty or its first character is not a packet type.
    pub(crate) fn from_text(text: &'a str) -> Result<Packet<'a>, InvalidPacket> {
        let mut chars = text.chars();
        let kind = chars.next().ok_or(InvalidPacket)?;
        let content = chars.as_str();
        match kind {
            '0' => Ok(Packet::Open),
            '1' => Ok(Packet::Close),
            '2' => Ok(Packet::Ping(content)),
            '3' => Ok(Packet::Pong(content)),
            '4' => Ok(Packet::Message(content)),
            '5' => Ok(Packet::Upgrade),
            '6' => Ok(Packet::Noop),
            _ => Err(InvalidPacket),
        }
    }
}

/// An outgoing packet, encoded as a complete WebSocket frame.
///
/// Frames from a server are not masked, so the same bytes serve every receiver; long-polling skips the
/// frame header. Cloning shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EncodedPacket {
    frame: Bytes,
}

impl EncodedPacket {
    /// A text packet; `write` appends type digit and content to the buffer it is given.
    pub(crate) fn text(size_hint: usize, write: impl FnOnce(&mut Vec<u8>)) -> EncodedPacket {
        EncodedPacket::build(frame::OPCODE_TEXT, size_hint, write)
    }

    /// A short text packet known at compile time, such as `6`.
    pub(crate) fn fixed(text: &str) -> EncodedPacket {
        EncodedPacket::text(text.len(), |out| out.extend_from_slice(text.as_bytes()))
    }

    /// A binary message: on WebSocket the raw bytes, without a type digit.
    pub(crate) fn binary(data: &[u8]) -> EncodedPacket {
        EncodedPacket::build(frame::OPCODE_BINARY, data.len(), |out| out.extend_from_slice(data))
    }

    fn build(opcode: u8, size_hint: usize, write: impl FnOnce(&mut Vec<u8>)) -> EncodedPacket {
        let mut buffer = Vec::with_capacity(frame::MAX_SERVER_HEADER + size_hint);
        buffer.extend_from_slice(&[0; frame::MAX_SERVER_HEADER]);
        write(&mut buffer);
        let length = buffer.len() - frame::MAX_SERVER_HEADER;
        let header = frame::server_header(opcode, length);
        let start = frame::MAX_SERVER_HEADER - header.len();
        buffer[start..frame::MAX_SERVER_HEADER].copy_from_slice(&header);
        let mut frame = Bytes::from(buffer);
        frame.advance(start);
        EncodedPacket { frame }
    }

    /// The packet as one WebSocket frame.
    pub(crate) fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The packet without its frame header: type digit and content, or the raw binary content.
    pub(crate) fn body(&self) -> &[u8] {
        let header = match self.frame[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        &self.frame[header..]
    }

    /// The same with the bit that says that the content is compressed (RFC 7692), which it is not.
    pub(crate) fn marked_compressed(&self) -> EncodedPacket {
        let mut frame = self.frame.to_vec();
        frame[0] |= 0x40;
        EncodedPacket { frame: frame.into() }
    }

    /// Whether the content is binary.
    pub(crate) fn is_binary(&self) -> bool {
        self.frame[0] & 0x0f == frame::OPCODE_BINARY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_type_of_the_table_is_read() {
        // Engine.IO protocol v4, "Packet encoding", table of types.
        let table = [
            ("0{}", Packet::Open),
            ("1", Packet::Close),
            ("2", Packet::Ping("")),
            ("2probe", Packet::Ping("probe")),
            ("3", Packet::Pong("")),
            ("3probe", Packet::Pong("probe")),
            ("4hello", Packet::Message("hello")),
            ("4€", Packet::Message("€")),
            ("4", Packet::Message("")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
        ];
        for (text, packet) in table {
            assert_eq!(Packet::from_text(text), Ok(packet), "{text}");
        }
    }

    #[test]
    fn anything_else_is_invalid() {
        for text in ["", "7", "9", "abc", "\u{1e}", " 4", "€4"] {
            assert_eq!(Packet::from_text(text), Err(InvalidPacket), "{text:?}");
        }
    }

    #[test]
    fn a_packet_is_framed_once_and_its_body_is_found_again_at_every_header_size() {
        for length in [0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 100_000] {
            let content = vec![b'x'; length];
            let packet = EncodedPacket::text(8, |out| {
                out.push(b'4');
                out.extend_from_slice(&content);
            });
            assert!(!packet.is_binary());
            assert_eq!(packet.body().len(), length + 1, "{length}");
            assert_eq!(packet.body()[0], b'4');
            let binary = EncodedPacket::binary(&content);
            assert!(binary.is_binary());
            assert_eq!(binary.body(), content);
        }
    }
}
