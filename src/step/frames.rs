//! Raw frames that arrived, for the steps that look at them.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::protocol::Rule;
use crate::protocol::engine_io::{Packet, encode_text};
use crate::protocol::websocket::Message as Frame;

/// The most raw frames that a client keeps for its steps.
const MAX_FRAMES: usize = 4096;

/// The most bytes in the raw frames that a client keeps for its steps.
const MAX_FRAME_BYTES: usize = 16 << 20;

/// How much of a frame a report shows.
const SHOWN: usize = 160;

/// A raw frame that `expect_frame` may look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A text frame, or an item of a poll.
    Text(String),
    /// A binary frame, or a `b…` item of a poll.
    Binary(Bytes),
    /// A WebSocket ping, with its payload.
    Ping(Bytes),
    /// A WebSocket pong, with its payload.
    Pong(Bytes),
    /// A WebSocket close: code and reason.
    Close(Option<u16>, String),
}

impl Seen {
    /// For a report, shortened.
    pub(super) fn in_words(&self) -> String {
        let told = |what: &str, bytes: &[u8]| {
            let shown: String = String::from_utf8_lossy(bytes).chars().take(SHOWN).collect();
            let more = if shown.len() < bytes.len() {
                format!("… ({} bytes)", bytes.len())
            } else {
                String::new()
            };
            format!("{what} {shown:?}{more}")
        };
        match self {
            Seen::Text(text) => told("the text", text.as_bytes()),
            Seen::Binary(bytes) => {
                let shown: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                format!("{} bytes, {shown}{}", bytes.len(), if bytes.len() > 16 { "…" } else { "" })
            }
            Seen::Ping(bytes) => told("a ping with", bytes),
            Seen::Pong(bytes) => told("a pong with", bytes),
            Seen::Close(None, _) => "a close without a code".to_owned(),
            Seen::Close(Some(code), reason) => {
                told(&format!("a close with the code {code} and"), reason.as_bytes())
            }
        }
    }

    /// A text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Seen::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is a heartbeat, a noop or the end of the connection, which come when the engine wants.
    pub(super) fn is_of_engine(&self) -> bool {
        match self {
            Seen::Text(text) => is_of_engine(text),
            Seen::Binary(_) => false,
            Seen::Ping(_) | Seen::Pong(_) | Seen::Close(..) => true,
        }
    }

    fn size(&self) -> usize {
        match self {
            Seen::Text(text) | Seen::Close(_, text) => text.len(),
            Seen::Binary(bytes) | Seen::Ping(bytes) | Seen::Pong(bytes) => bytes.len(),
        }
    }
}

impl From<&Frame<'_>> for Seen {
    fn from(frame: &Frame<'_>) -> Seen {
        let copied = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
        match frame {
            Frame::Text(text) => Seen::Text(text.to_string()),
            Frame::Binary(bytes) => Seen::Binary(copied(bytes)),
            Frame::Ping(bytes) => Seen::Ping(copied(bytes)),
            Frame::Pong(bytes) => Seen::Pong(copied(bytes)),
            Frame::Close { code, reason } => Seen::Close(*code, reason.to_string()),
        }
    }
}

impl From<&Packet<'_>> for Seen {
    fn from(packet: &Packet<'_>) -> Seen {
        if let Packet::Binary(bytes) = packet {
            return Seen::Binary(Bytes::copy_from_slice(bytes));
        }
        let mut text = String::new();
        encode_text(packet, &mut text);
        Seen::Text(text)
    }
}

/// A raw frame that was kept.
#[derive(Debug)]
struct Kept {
    frame: Seen,
    /// Whether a step took it.
    taken: bool,
    /// The rule that the server broke by it, once the session has dealt with it.
    breaks: Option<Rule>,
}

/// The raw frames of a connection, oldest first. Who wants the next one takes what stands behind the last that was taken
/// or passed over; who does not care for the order may take what others passed over.
#[derive(Debug, Default)]
pub struct Frames {
    kept: VecDeque<Kept>,
    bytes: usize,
    /// Where the next one stands.
    next: usize,
    /// Whether more came than there was room for.
    lost: bool,
    /// Whether the one that came last is kept.
    has_newest: bool,
}

impl Frames {
    /// Keeps a frame if there is room for it. What was taken or passed over makes room, unless the past counts.
    pub(super) fn keep(&mut self, frame: Seen, past: bool) {
        if !past {
            while self.next > 0 && (self.kept[0].taken || !self.has_room(&frame)) {
                self.next -= 1;
                if let Some(gone) = self.kept.pop_front() {
                    self.bytes -= gone.frame.size();
                }
            }
        }
        self.has_newest = self.has_room(&frame);
        match self.has_newest {
            true => {
                self.bytes += frame.size();
                self.kept.push_back(Kept { frame, taken: false, breaks: None });
            }
            false => self.lost = true,
        }
    }

    /// A frame came that no step may look at.
    pub(super) fn pass_over(&mut self) {
        self.has_newest = false;
    }

    /// The session found that the server broke a rule by the frame that came last.
    pub(super) fn blame(&mut self, rule: Rule) {
        if let Some(newest) = self.kept.back_mut().filter(|_| self.has_newest) {
            newest.breaks.get_or_insert(rule);
        }
    }

    /// The rule that the server broke by the frame that came last.
    pub(super) fn newest_breaks(&self) -> Option<Rule> {
        self.kept.back().filter(|_| self.has_newest)?.breaks
    }

    /// The rule that the server broke by a frame that no step took, if it broke one.
    pub(super) fn left_breaks(&self) -> Option<Rule> {
        self.kept.iter().filter(|kept| !kept.taken).find_map(|kept| kept.breaks)
    }

    /// The texts that nobody took.
    pub(super) fn left(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().filter(|kept| !kept.taken).filter_map(|kept| kept.frame.text())
    }

    fn has_room(&self, frame: &Seen) -> bool {
        self.kept.len() < MAX_FRAMES && self.bytes + frame.size() <= MAX_FRAME_BYTES
    }

    /// Takes the next frame, with the rule that the server broke by it, as far as that is known yet.
    pub(super) fn take_next(&mut self) -> Option<(Seen, Option<Rule>)> {
        let Kept { frame, taken, breaks } = self.kept.get_mut(self.next)?;
        self.next += 1;
        *taken = true;
        Some((frame.clone(), *breaks))
    }

    /// Takes the first frame that fits, of those behind the last or of all that nobody took. Those before it count as
    /// passed over.
    pub(super) fn take_fitting(&mut self, of_all: bool, fits: impl Fn(&Seen) -> bool) -> Option<Seen> {
        let from = if of_all { 0 } else { self.next };
        let found = self.kept.iter().skip(from).position(|kept| !kept.taken && fits(&kept.frame));
        let found = found.map(|place| from + place);
        self.next = self.next.max(found.map_or(self.kept.len(), |place| place + 1));
        let Kept { frame, taken, .. } = self.kept.get_mut(found?)?;
        *taken = true;
        Some(frame.clone())
    }

    /// The frames that are kept: all that came, where the past counts.
    pub(super) fn all(&self) -> impl Iterator<Item = &Seen> {
        self.kept.iter().map(|kept| &kept.frame)
    }

    /// Whether more came than there was room for.
    pub(super) fn were_lost(&self) -> bool {
        self.lost
    }

    /// Forgets the frames: another connection begins.
    pub(super) fn forget(&mut self) {
        *self = Frames::default();
    }
}

/// Whether a packet of the engine's own can come at any time: the end, a heartbeat or a noop.
pub(super) fn is_of_engine(packet: &str) -> bool {
    matches!(packet, "1" | "2" | "6")
}
