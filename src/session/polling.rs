//! HTTP long-polling: one pending `GET`, one `POST` at a time (EIO "HTTP long-polling").

use std::collections::VecDeque;
use std::slice;
use std::time::{Duration, Instant};

use super::event::{Closed, Event, Posted};
use super::requests::Requests;
use super::wire::{Channel, Wire};
use super::{Polls, Session, State, Upgrade};
use crate::protocol::counted::Spelled;
use crate::protocol::dialect::{Framing, Packets};
use crate::protocol::engine_io::{Handshake, Packet};
use crate::protocol::http::Response;
use crate::protocol::{Violation, jsonp, payload};

/// What a session makes of an HTTP response.
#[derive(Debug)]
pub enum Payload<'a> {
    /// A payload of packets: give each to [`Session::handle_packet`], then call [`Session::handle_payload_end`].
    Packets(Packets<'a>),
    /// The same, with which JavaScript was to be called.
    Called(String),
    /// A payload that cannot be read. [`Session::handle_payload_end`] must follow all the same.
    Unreadable(Violation),
    /// Nothing to read; perhaps an event.
    Nothing(Option<Event<'a>>),
}

#[derive(Debug)]
enum Queued {
    Text(String),
    Binary(Vec<u8>),
}

impl Queued {
    /// How many packets it is: a scenario may write several at once.
    fn packets(&self) -> usize {
        match self {
            Queued::Text(text) => text.split(payload::SEPARATOR).count(),
            Queued::Binary(_) => 1,
        }
    }

    /// Its length inside a payload, in bytes, beside what tells it from the others.
    fn length(&self) -> usize {
        match self {
            Queued::Text(text) => text.len(),
            Queued::Binary(bytes) => 1 + bytes.len().div_ceil(3) * 4,
        }
    }

    fn spelled(&self) -> Spelled<'_> {
        match self {
            Queued::Text(text) => Spelled::Text(text),
            Queued::Binary(bytes) => Spelled::Bytes(bytes),
        }
    }
}

/// What a body of text is, and one of bytes.
const TEXT: &str = "text/plain;charset=UTF-8";
const BYTES: &str = "application/octet-stream";

/// How many bytes tell a packet from the `before` that stand before it, at most.
fn between(framing: Framing, before: usize) -> usize {
    match framing {
        Framing::Separated => usize::from(before > 0),
        // Nine digits and what stands around them: a queue never holds more.
        Framing::Counted => 11,
    }
}

/// Packets that go into one post: its body, and what kind it is.
fn body_of(items: &[Queued], framing: Framing, want_base64: bool) -> (Vec<u8>, &'static str) {
    let mut body = Vec::new();
    let has_bytes = items.iter().any(|item| matches!(item, Queued::Binary(_)));
    match framing {
        Framing::Separated => {
            // A scenario that breaks the protocol may send empty packets, so the body does not say whether it has one already.
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    body.push(payload::SEPARATOR as u8);
                }
                match item {
                    Queued::Text(text) => body.extend_from_slice(text.as_bytes()),
                    Queued::Binary(bytes) => {
                        let mut item = String::new();
                        payload::append(&Packet::Binary(bytes.into()), &mut item);
                        body.extend_from_slice(item.as_bytes());
                    }
                }
            }
        }
        Framing::Counted if has_bytes && !want_base64 => {
            items.iter().for_each(|item| item.spelled().append_as_bytes(&mut body));
            return (body, BYTES);
        }
        Framing::Counted => items.iter().for_each(|item| item.spelled().append_as_text(&mut body)),
    }
    (body, TEXT)
}

/// The same as a form.
fn form_of(items: &[Queued], framing: Framing) -> Vec<u8> {
    let (body, _) = body_of(items, framing, true);
    jsonp::form_of(&String::from_utf8_lossy(&body)).into_bytes()
}

/// How many bytes a separator takes in a form.
const BETWEEN_IN_FORM: usize = 3;

/// So many packets in one post are taken by every server that takes several.
const FEW: usize = 10;

/// A post that takes so long may never be answered.
const LONG: Duration = Duration::from_millis(100);

/// More than this is not queued for a server that takes no posts.
pub(super) const MAX_QUEUE: usize = 32 << 20;

/// The state of the two HTTP channels.
#[derive(Debug, Default)]
pub(super) struct Polling {
    pub(super) polls: Polls,
    polling: bool,
    posting: bool,
    queue: VecDeque<Queued>,
    /// The length of all that is queued.
    queued: usize,
    /// What the last post carried.
    posted: Posted,
    /// When it was sent.
    posted_at: Option<Instant>,
    /// How many packets the post carried that carried most.
    most_packets: usize,
}

impl Polling {
    /// Sends a `GET` unless one is pending.
    pub(super) fn poll(&mut self, wire: &mut dyn Wire, requests: &Requests, handshake: Option<&Handshake>) {
        if !self.polling {
            self.polling = true;
            requests.get(wire, Channel::Poll, handshake.map(|h| h.sid.as_str()));
        }
    }

    pub(super) fn queue_text(&mut self, parts: &[&str]) {
        self.push(Queued::Text(parts.concat()));
    }

    pub(super) fn queue_binary(&mut self, bytes: &[u8]) {
        self.push(Queued::Binary(bytes.to_vec()));
    }

    fn push(&mut self, item: Queued) {
        self.queued += item.length();
        self.queue.push_back(item);
    }

    /// Whether more has gathered than is kept for any server.
    pub(super) fn is_overfull(&self) -> bool {
        self.queued > MAX_QUEUE
    }

    /// Posts as much of the queue as one request may hold, unless a post is under way.
    pub(super) fn post(&mut self, wire: &mut dyn Wire, requests: &Requests, handshake: Option<&Handshake>) {
        let Some(handshake) = handshake else { return };
        if self.posting || self.queue.is_empty() {
            return;
        }
        let limit = handshake.max_payload.unwrap_or(u64::MAX);
        let framing = requests.dialect().framing;
        let is_form = requests.jsonp().is_some();
        let (mut count, mut length) = (0, 0);
        for next in &self.queue {
            let longer = match is_form {
                true => length + form_of(slice::from_ref(next), framing).len() + BETWEEN_IN_FORM,
                false => length + next.length() + between(framing, count),
            };
            if count > 0 && longer as u64 > limit {
                break;
            }
            (count, length) = (count + 1, longer);
        }
        let items = &self.queue.make_contiguous()[..count];
        let (body, kind) = match is_form {
            true => (form_of(items, framing), jsonp::FORM),
            false => body_of(items, framing, requests.want_base64()),
        };
        let packets = items.iter().map(Queued::packets).sum();
        self.queued -= items.iter().map(Queued::length).sum::<usize>();
        self.queue.drain(..count);
        self.posting = true;
        self.posted_at = requests.now();
        let is_long = handshake.max_payload.is_some_and(|most| (body.len() as u64) > most / 2);
        self.posted = Posted { packets, bytes: body.len(), is_long };
        self.most_packets = self.most_packets.max(packets);
        requests.post(wire, Channel::Post, &handshake.sid, &body, kind);
    }

    /// Says `close` to the server after everything that is queued.
    pub(super) fn close(&mut self, wire: &mut dyn Wire, requests: &Requests, handshake: Option<&Handshake>) {
        self.queue_text(&["1"]);
        self.post(wire, requests, handshake);
    }

    /// Whether no packet waits for the post before it.
    pub(super) fn has_posted_all(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether a response is due on a channel.
    pub(super) fn awaits(&self, channel: Channel) -> bool {
        match channel {
            Channel::Poll => self.polling,
            Channel::Post => self.posting,
            Channel::WebSocket | Channel::WebTransport | Channel::Aside(_) => false,
        }
    }

    /// Whether a post carried so many packets that a server may not have taken them all.
    pub(super) fn has_posted_many(&self) -> bool {
        self.most_packets > FEW
    }

    pub(super) fn is_quiet(&self) -> bool {
        !self.polling && !self.posting
    }

    /// Sends the queue over this stream, one packet a frame.
    pub(super) fn replay(polling: Polling, wire: &mut dyn Wire, stream: Channel) {
        for queued in polling.queue {
            match queued {
                Queued::Text(text) => wire.text(stream, &[&text]),
                Queued::Binary(bytes) => wire.binary(stream, &bytes),
            }
        }
    }
}

impl Session {
    /// Whether a post is under way, or was when the connection ended: whether the server has read what was sent since is not
    /// known then.
    pub fn awaits_post(&self) -> bool {
        self.awaited_post().is_some()
    }

    /// For how long.
    pub(super) fn awaited_post(&self) -> Option<Duration> {
        let under_way = || {
            let polling = self.polling.as_ref().filter(|polling| polling.awaits(Channel::Post))?;
            let since = self.requests.now().zip(polling.posted_at);
            Some(since.map_or(Duration::ZERO, |(now, then)| now.saturating_duration_since(then)))
        };
        self.post_unanswered.or_else(under_way)
    }

    /// Whether a post has got no answer for longer than a server takes that answers posts.
    pub fn lacks_answer_to_post(&self) -> bool {
        self.awaited_post().is_some_and(|waited| waited >= LONG)
    }

    /// Takes the response to a poll or a post. Except for [`Payload::Nothing`],
    /// [`Session::handle_payload_end`] must follow.
    pub fn handle_response<'a>(
        &mut self,
        wire: &mut dyn Wire,
        channel: Channel,
        response: &'a Response,
    ) -> Payload<'a> {
        self.requests.keep_cookies(&response.head, None);
        let Some(polling) = &mut self.polling else { return Payload::Nothing(None) };
        match channel {
            Channel::Poll => polling.polling = false,
            Channel::Post => polling.posting = false,
            Channel::WebSocket | Channel::WebTransport | Channel::Aside(_) => return Payload::Nothing(None),
        }
        if response.head.status != 200 {
            let body = String::from_utf8_lossy(&response.body).chars().take(4096).collect();
            let posted = if channel == Channel::Post { polling.posted } else { Posted::default() };
            let why = Closed::BadAnswer { channel, status: response.head.status, body, posted };
            return Payload::Nothing(Some(self.finish(wire, why)));
        }
        if channel == Channel::Poll
            && let Some(j) = self.requests.jsonp()
            && !response.body.is_empty()
        {
            return jsonp::payload_of(&response.body, j).map_or_else(Payload::Unreadable, Payload::Called);
        }
        if channel == Channel::Poll {
            return match self.dialect.packets(&response.body) {
                Ok(packets) => Payload::Packets(packets),
                Err(violation) => Payload::Unreadable(violation),
            };
        }
        if self.state == State::Closing && polling.has_posted_all() {
            return Payload::Nothing(Some(self.finish(wire, Closed::Asked)));
        }
        let upgraded = self.finish_upgrade(wire);
        self.flush_posts(wire);
        Payload::Nothing(upgraded)
    }

    /// The packets of a poll are taken: what comes next is another poll, or the end of an upgrade.
    pub fn handle_payload_end(&mut self, wire: &mut dyn Wire) -> Option<Event<'static>> {
        match self.state {
            State::Opening | State::Open | State::Closing => {}
            State::Idle | State::Closed => return None,
        }
        if self.handshake.is_none() {
            let why = Closed::BadAnswer {
                channel: Channel::Poll,
                status: 200,
                body: "no open packet that can be used in the first payload".into(),
                posted: Posted::default(),
            };
            return Some(self.finish(wire, why));
        }
        if self.upgrade == Upgrade::Pausing {
            return self.finish_upgrade(wire);
        }
        if let Some(polling) = &mut self.polling
            && polling.polls == Polls::Automatic
        {
            polling.poll(wire, &self.requests, self.handshake.as_deref());
        }
        None
    }
}
