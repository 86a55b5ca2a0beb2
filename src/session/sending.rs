//! How a session says what it has to say: packets into frames, or into the queue of the next post.

use bytes::Bytes;
use serde_json::Value;

use super::wire::{Channel, Wire};
use super::{Session, State, Upgrade};
use crate::protocol::counted;
use crate::protocol::dialect::Framing;
use crate::protocol::socket_io::{self, Kind};

impl Session {
    pub(super) fn send_packet(
        &mut self,
        wire: &mut dyn Wire,
        kind: Kind,
        name: &str,
        id: Option<u64>,
        data: &str,
        attachments: &[Bytes],
    ) {
        self.send_header(wire, kind, attachments.len() as u32, name, id, Some(data));
        for attachment in attachments {
            self.send_binary(wire, attachment);
        }
    }

    pub(super) fn send_header(
        &mut self,
        wire: &mut dyn Wire,
        kind: Kind,
        attachments: u32,
        name: &str,
        id: Option<u64>,
        data: Option<&str>,
    ) {
        self.send_text(wire, &[&header(kind, attachments, name, id), data.unwrap_or("")]);
    }

    /// Nothing is said after the word `close`.
    fn is_mute(&self) -> bool {
        matches!(self.state, State::Idle | State::Closing | State::Closed)
    }

    pub(super) fn send_text(&mut self, wire: &mut dyn Wire, parts: &[&str]) {
        if self.is_mute() {
            return;
        }
        match &mut self.polling {
            None => wire.text(Channel::WebSocket, parts),
            Some(polling) => {
                polling.queue_text(parts);
                self.flush_posts(wire);
            }
        }
    }

    /// Sends a message of bytes.
    pub(super) fn send_binary(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        match self.dialect.framing {
            Framing::Separated => self.send_bytes(wire, bytes),
            Framing::Counted => self.send_bytes(wire, &[&[counted::MESSAGE], bytes].concat()),
        }
    }

    pub(super) fn send_bytes(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        if self.is_mute() {
            return;
        }
        match &mut self.polling {
            None => wire.binary(Channel::WebSocket, bytes),
            Some(polling) => {
                polling.queue_binary(bytes);
                self.flush_posts(wire);
            }
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
pub(super) fn header(kind: Kind, attachments: u32, namespace: &str, id: Option<u64>) -> String {
    let mut head = String::with_capacity(24 + namespace.len());
    head.push('4');
    socket_io::Packet { kind, attachments, namespace, id, data: None }.encode(&mut head);
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
