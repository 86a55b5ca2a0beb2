//! The messages in the bytes of a WebSocket, of either side.

use crate::importer::Content;
use crate::protocol::websocket::{self, Frame, Message, Messages};

/// The largest message that is recorded, in bytes.
const LARGEST: u64 = 16 << 20;

/// Reads along in one direction. After something that cannot be read it stops, and what passes is none of its business any more.
#[derive(Default)]
pub(super) struct Frames {
    buffer: Vec<u8>,
    messages: Messages,
    is_lost: bool,
}

impl Frames {
    /// Takes bytes, and gives the messages that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Content> {
        let mut found = Vec::new();
        if self.is_lost {
            return found;
        }
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            match websocket::parse(&self.buffer[at..], LARGEST) {
                Ok(Some((frame, length))) => {
                    let payload = unmasked(&frame, &self.buffer[at..at + length]);
                    let frame = Frame { masked: false, payload: &payload, ..frame };
                    at += length;
                    match self.messages.push(frame, LARGEST) {
                        Ok(Some(Message::Text(text))) => found.push(Content::Text(text.into_owned())),
                        Ok(Some(Message::Binary(bytes))) => found.push(Content::Binary(bytes.into_owned())),
                        Ok(_) => {}
                        Err(_) => self.is_lost = true,
                    }
                }
                Ok(None) => break,
                Err(_) => self.is_lost = true,
            }
            if self.is_lost {
                self.buffer = Vec::new();
                return found;
            }
        }
        self.buffer.drain(..at);
        found
    }

    /// Whether it has stopped.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }
}

/// The payload as it was meant. The key stands before it.
fn unmasked(frame: &Frame<'_>, whole: &[u8]) -> Vec<u8> {
    let mut payload = frame.payload.to_vec();
    let start = whole.len() - payload.len();
    if let Some(key) = whole[..start].last_chunk::<4>().filter(|_| frame.masked) {
        websocket::apply_mask(&mut payload, *key);
    }
    payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::websocket::{Opcode, write};

    #[test]
    fn messages_of_both_sides_are_read_whatever_their_pieces() {
        let mut bytes = Vec::new();
        write(&mut bytes, true, 0, Opcode::Text, Some([1, 2, 3, 4]), b"42[\"said\"]");
        write(&mut bytes, true, 0, Opcode::Ping, None, b"p");
        write(&mut bytes, false, 0, Opcode::Binary, None, &[1, 2]);
        write(&mut bytes, true, 0, Opcode::Continuation, Some([9, 9, 9, 9]), &[3]);
        for piece in 1..bytes.len() {
            let mut frames = Frames::default();
            let found: Vec<Content> = bytes.chunks(piece).flat_map(|piece| frames.push(piece)).collect();
            assert_eq!(found, [Content::Text("42[\"said\"]".into()), Content::Binary(vec![1, 2, 3])]);
        }
    }

    #[test]
    fn a_frame_that_no_memory_holds_is_passed_over_with_all_that_follows() {
        let mut frames = Frames::default();
        assert!(frames.push(&[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0, 5]).is_empty());
        assert!(frames.is_lost());
        let mut bytes = Vec::new();
        write(&mut bytes, true, 0, Opcode::Text, None, b"x");
        assert!(frames.push(&bytes).is_empty());
    }
}
