//! How a session says what it has to say: packets into frames, or into the queue of the next post.

use bytes::Bytes;
use serde_json::Value;

use super::wire::Wire;
use super::{Session, State, Upgrade};
use crate::protocol::dialect::{Framing, Parser};
use crate::protocol::socket_io::{self, Kind};
use crate::protocol::{counted, msgpack};

/// What a session has said that a server may lose.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Whether a post before the upgrade carried many packets.
    pub(super) posted_many: bool,
    /// Whether bytes were sent, and whether in a post.
    bytes: Option<bool>,
}

impl Session {
    /// Whether a post carried so many packets that a server may have lost some of them without a word.
    pub fn has_posted_many(&self) -> bool {
        self.said.posted_many || self.polling.as_ref().is_some_and(|polling| polling.has_posted_many())
    }

    /// Whether bytes went out in a post; `None` where there were none.
    pub fn has_posted_bytes(&self) -> Option<bool> {
        self.said.bytes
    }

    /// Sends a packet; `data` is JSON text, with placeholders for the attachments.
    pub(super) fn send_packet(
        &mut self,
        wire: &mut dyn Wire,
        kind: Kind,
        name: &str,
        id: Option<u64>,
        data: Option<&str>,
        attachments: &[Bytes],
    ) {
        if self.is_mute() {
            return;
        }
        let packet =
            socket_io::Packet { kind, attachments: attachments.len() as u32, namespace: name, id, data };
        self.queue_packet(wire, &packet, attachments);
        self.flush_posts(wire);
    }

    /// Sends a packet over the WebSocket, or leaves it to the next post.
    pub(super) fn queue_packet(
        &mut self,
        wire: &mut dyn Wire,
        packet: &socket_io::Packet<'_>,
        attachments: &[Bytes],
    ) {
        match self.parser {
            Parser::Default => {
                self.queue_text(wire, &[&header(packet), packet.data.unwrap_or_default()]);
                self.note_bytes(!attachments.is_empty());
                attachments.iter().for_each(|attachment| self.queue_message(wire, attachment));
            }
            Parser::Msgpack => self.queue_message(wire, &msgpack::encode(packet, attachments)),
        }
    }

    pub(super) fn note_bytes(&mut self, are_there: bool) {
        if are_there {
            self.said.bytes = Some(self.is_polling());
        }
    }

    /// Nothing is said after the word `close`.
    fn is_mute(&self) -> bool {
        matches!(self.state, State::Idle | State::Closing | State::Closed)
    }

    pub(super) fn send_text(&mut self, wire: &mut dyn Wire, parts: &[&str]) {
        if !self.is_mute() {
            self.queue_text(wire, parts);
            self.flush_posts(wire);
        }
    }

    pub(super) fn send_bytes(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        if !self.is_mute() {
            self.note_bytes(true);
            self.queue_bytes(wire, bytes);
            self.flush_posts(wire);
        }
    }

    fn queue_text(&mut self, wire: &mut dyn Wire, parts: &[&str]) {
        match &mut self.polling {
            None => wire.text(self.stream, parts),
            Some(polling) => polling.queue_text(parts),
        }
    }

    /// A message of bytes, with its type in front where the dialect wants one.
    fn queue_message(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        match self.dialect.framing {
            Framing::Separated => self.queue_bytes(wire, bytes),
            Framing::Counted => self.queue_bytes(wire, &[&[counted::MESSAGE], bytes].concat()),
        }
    }

    fn queue_bytes(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        match &mut self.polling {
            None => wire.binary(self.stream, bytes),
            Some(polling) => polling.queue_binary(bytes),
        }
    }

    /// Posts what is queued, unless a post is under way or the upgrade wants the channel quiet.
    pub(super) fn flush_posts(&mut self, wire: &mut dyn Wire) {
        if self.upgrade == Upgrade::Pausing {
            return;
        }
        if let Some(polling) = &mut self.polling {
            polling.post(wire, &self.requests, self.handshake.as_deref());
        }
    }
}

/// What stands before the payload, with the type of an Engine.IO message in front.
fn header(packet: &socket_io::Packet<'_>) -> String {
    let mut head = String::with_capacity(24 + packet.namespace.len());
    head.push('4');
    socket_io::Packet { data: None, ..*packet }.encode(&mut head);
    head
}

/// The query that says what an auth object says: texts as they are, everything else as JSON.
pub fn query_of(auth: &str) -> String {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(auth).unwrap_or_default();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &fields {
        match value {
            Value::String(text) => query.append_pair(name, text),
            value => query.append_pair(name, &value.to_string()),
        };
    }
    query.finish()
}
