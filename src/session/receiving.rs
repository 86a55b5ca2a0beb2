//! What a session makes of the packets that arrive.

use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;

use super::event::{Answer, Closed, Event, ServerEvent};
use super::heartbeat::Heartbeat;
use super::namespace::{self, Namespace, Phase};
use super::polling::MAX_QUEUE;
use super::wire::{Channel, Lost, Wire};
use super::{FAREWELL, Session, State, Upgrade};
use crate::protocol::attachments::Assembled;
use crate::protocol::dialect::{Auth, Framing, MainNamespace, Packet4, Parser, Pings, SocketIds};
use crate::protocol::engine_io::{self, Handshake, Packet};
use crate::protocol::msgpack;
use crate::protocol::socket_io::{self, Kind, MAIN};
use crate::protocol::{Rule, Violation, counted, excerpt, payload};

/// The number of namespaces that a guest may join: more than any scenario uses.
const MOST_OF_A_GUEST: usize = 64;

impl Session {
    /// How many connections it has begun. What came over one before says nothing of the one that stands.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// A step waits until then for a close frame: the connection is not cut before, whatever the server has announced.
    pub fn await_end(&mut self, until: Instant) {
        self.end_awaited = Some(until);
        if self.farewell {
            self.heartbeat = Heartbeat::PingDue(until);
        }
    }

    /// Takes one Engine.IO packet that arrived on a channel.
    pub fn handle_packet<'a>(
        &mut self,
        wire: &mut dyn Wire,
        channel: Channel,
        packet: Packet<'a>,
        now: Instant,
    ) -> Option<Event<'a>> {
        if self.is_closed() || self.farewell {
            return None;
        }
        if self.polling.as_ref().is_some_and(|polling| polling.is_overfull()) {
            let words = format!("the server left {MAX_QUEUE} bytes unread");
            return Some(self.finish(wire, Closed::Lost(Channel::Post, Lost::Broken(words))));
        }
        self.note_life(now);
        match packet {
            Packet::Text(text) if self.state == State::Opening && !self.guest => {
                Some(unexpected("a message", text))
            }
            Packet::Text(text) if channel == Channel::Poll && self.lacks_letters() => {
                match payload::without_letter(text) {
                    // What it is, the letter would tell; it is taken for that, so that what comes next is no offence, too.
                    Some((bytes, violation)) => {
                        let _ = self.assembler.push(&bytes);
                        Some(Event::Violated(violation))
                    }
                    None => self.receive_socket_io(text),
                }
            }
            Packet::Text(text) if self.parser == Parser::Default => self.receive_socket_io(text),
            Packet::Text(text) => Some(Event::Violated(msgpack::no_bytes(text))),
            Packet::Binary(bytes) if self.state == State::Opening => {
                Some(unexpected("binary", &format!("{} bytes", bytes.len())))
            }
            Packet::Binary(bytes) if self.parser == Parser::Msgpack => self.receive_msgpack(&bytes),
            Packet::Binary(bytes) => match self.assembler.push(&bytes) {
                Ok(None) => None,
                Ok(Some(whole)) => self.deliver_assembled(whole),
                Err(violation) => Some(Event::Violated(violation)),
            },
            Packet::Ping(payload) if self.dialect.pings == Pings::Server => {
                self.pinged(wire, payload, now);
                Some(Event::Heartbeat)
            }
            Packet::Pong("") if self.dialect.pings == Pings::Client && self.heartbeat.is_awaited() => {
                self.ponged(now);
                Some(Event::Heartbeat)
            }
            Packet::Pong("probe") if channel == self.stream && self.upgrade == Upgrade::Probing => {
                self.upgrade = Upgrade::Pausing;
                self.finish_upgrade(wire)
            }
            Packet::Open(json) if self.state == State::Opening => match Handshake::decode(json) {
                Ok((handshake, flaw)) => Some(self.opened(wire, handshake, flaw, now)),
                Err(violation) => Some(Event::Violated(violation)),
            },
            // A close frame may follow, which the client of a scenario may have to see.
            Packet::Close if self.polling.is_none() => {
                self.farewell = true;
                let until = now + FAREWELL;
                self.heartbeat =
                    Heartbeat::PingDue(self.end_awaited.map_or(until, |awaited| awaited.max(until)));
                None
            }
            Packet::Close => Some(self.finish(wire, Closed::ByServer { then: None })),
            Packet::Noop(_) => None,
            Packet::Pong(_) if self.guest || std::mem::take(&mut self.pong_due) => None,
            Packet::Open(json) => Some(unexpected("open", json)),
            Packet::Ping(payload) => {
                let detail = format!("the server sent {}", excerpt(&format!("2{payload}")));
                Some(Event::Violated(Violation { rule: Rule::PingUnasked, detail }))
            }
            Packet::Pong(payload) if channel == self.stream && self.upgrade == Upgrade::Probing => {
                let detail = format!("the probe was answered with {}", excerpt(&format!("3{payload}")));
                Some(Event::Violated(Violation { rule: Rule::UpgradeProbe, detail }))
            }
            Packet::Pong(payload) => Some(unexpected("pong", payload)),
            Packet::Upgrade => Some(unexpected("upgrade", "")),
        }
    }

    fn opened(
        &mut self,
        wire: &mut dyn Wire,
        handshake: Handshake,
        flaw: Option<Violation>,
        now: Instant,
    ) -> Event<'static> {
        // Without an id, no further request of long-polling could belong to the session.
        if let Some(flaw) = flaw.as_ref().filter(|_| handshake.sid.is_empty() && self.polling.is_some()) {
            return Event::Violated(flaw.clone());
        }
        self.state = State::Open;
        if self.upgrade == Upgrade::Wanted {
            if handshake.upgrades.iter().any(|upgrade| *upgrade == self.stream.to_string()) {
                self.upgrade = Upgrade::Dialing;
                self.requests.dial(wire, self.stream, Some(&handshake.sid));
            } else {
                self.upgrade = Upgrade::None;
            }
        }
        self.handshake = Some(Box::new(handshake));
        if self.dialect.main_namespace == MainNamespace::Unasked {
            Namespace::of(&mut self.namespaces, MAIN).phase = Phase::Asked;
        }
        self.start_heartbeat(now);
        Event::Opened { flaw }
    }

    fn receive_socket_io<'a>(&mut self, text: &'a str) -> Option<Event<'a>> {
        if let Err(violation) = self.assembler.interrupt() {
            return Some(Event::Violated(violation));
        }
        let packet = match socket_io::decode(text) {
            Ok(packet) => packet,
            Err(violation) if violation.rule == Rule::AckId && self.echoes_written_id(text) => return None,
            Err(violation) if violation.rule == Rule::ConnectErrorPayload => match self.any_error(text) {
                Some(packet) => packet,
                None => return Some(Event::Violated(violation)),
            },
            Err(violation) => return Some(Event::Violated(violation)),
        };
        match packet.kind {
            Kind::BinaryEvent | Kind::BinaryAck => {
                self.get_to_know(packet.namespace);
                match self.assembler.begin(&packet) {
                    Ok(None) => None,
                    Ok(Some(whole)) => self.deliver_assembled(whole),
                    Err(violation) => Some(Event::Violated(violation)),
                }
            }
            _ => self.receive_whole(packet, Vec::new()),
        }
    }

    fn receive_msgpack(&mut self, bytes: &[u8]) -> Option<Event<'static>> {
        match msgpack::decode(bytes) {
            Ok(mut decoded) => {
                let attachments = std::mem::take(&mut decoded.attachments);
                self.receive_whole(decoded.packet(), attachments).map(Event::into_owned)
            }
            Err(violation) => Some(Event::Violated(violation)),
        }
    }

    /// Takes a packet that is here with all its attachments.
    fn receive_whole<'a>(
        &mut self,
        packet: socket_io::Packet<'a>,
        attachments: Vec<Bytes>,
    ) -> Option<Event<'a>> {
        let data = packet.data.unwrap_or("");
        self.get_to_know(packet.namespace);
        match packet.kind {
            Kind::Connect => Some(self.accepted(packet.namespace, data)),
            Kind::ConnectError => self.erred(packet.namespace, data),
            Kind::Disconnect => namespace::ended(&mut self.namespaces, packet.namespace),
            Kind::Event | Kind::BinaryEvent => self.deliver(ServerEvent {
                namespace: Cow::Borrowed(packet.namespace),
                id: packet.id,
                data: Cow::Borrowed(data),
                attachments,
            }),
            Kind::Ack | Kind::BinaryAck => Some(self.acknowledged(Answer {
                namespace: Cow::Borrowed(packet.namespace),
                id: packet.id.unwrap_or_default(),
                data: Cow::Borrowed(data),
                attachments,
            })),
        }
    }

    fn accepted<'a>(&mut self, name: &'a str, data: &str) -> Event<'a> {
        match self.dialect.socket_ids {
            SocketIds::InReply => namespace::accepted(&mut self.namespaces, name, data),
            SocketIds::OfSession => {
                let session = self.handshake.as_ref().map_or("", |handshake| &handshake.sid);
                namespace::accepted_as(&mut self.namespaces, without_query(name), session)
            }
        }
    }

    fn erred<'a>(&mut self, name: &'a str, data: &'a str) -> Option<Event<'a>> {
        let is_in = self.is_connected(name);
        match self.dialect.packet_4 {
            // Who is in and is told of an error stays in: to the application it is an event.
            Packet4::Error if is_in => {
                let data = if data.is_empty() { "null" } else { data };
                self.deliver(ServerEvent {
                    namespace: Cow::Borrowed(name),
                    id: None,
                    data: Cow::Owned(format!("[\"error\",{data}]")),
                    attachments: Vec::new(),
                })
            }
            Packet4::Error => Some(namespace::refused(&mut self.namespaces, without_query(name), data)),
            Packet4::ConnectError => Some(namespace::refused(&mut self.namespaces, name, data)),
        }
    }

    /// An ERROR may bring any value.
    fn any_error<'a>(&self, text: &'a str) -> Option<socket_io::Packet<'a>> {
        let outline = socket_io::outline(text).filter(|_| self.dialect.packet_4 == Packet4::Error)?;
        let data = outline.rest;
        let (kind, namespace) = (outline.kind, outline.namespace);
        Some(socket_io::Packet { kind, attachments: 0, namespace, id: None, data: Some(data) })
    }

    fn deliver_assembled(&mut self, whole: Assembled) -> Option<Event<'static>> {
        let namespace = Cow::Owned(whole.namespace);
        let data = Cow::Owned(whole.data);
        let attachments = whole.attachments;
        if whole.kind == Kind::BinaryAck {
            let id = whole.id.unwrap_or_default();
            return Some(self.acknowledged(Answer { namespace, id, data, attachments }));
        }
        self.deliver(ServerEvent { namespace, id: whole.id, data, attachments })
    }

    fn deliver<'a>(&mut self, message: ServerEvent<'a>) -> Option<Event<'a>> {
        match self.namespaces.iter_mut().find(|n| *n.name == *message.namespace) {
            // A recovering server may replay before it accepts, so "asked" counts as in.
            Some(namespace) if namespace.phase != Phase::Out => {
                namespace.note_offset(&message);
                Some(Event::ServerEvent(message))
            }
            // It was on its way when we left: no rule is broken.
            Some(_) => None,
            None => Some(namespace::unknown(namespace::EVENT, &message.namespace)),
        }
    }

    fn acknowledged<'a>(&mut self, answer: Answer<'a>) -> Event<'a> {
        let namespace = self.place(&answer.namespace);
        if self.outstanding.settle(answer.id, namespace) || self.guest {
            return Event::Answered(answer);
        }
        let was_answered = self.outstanding.was_answered(answer.id, namespace);
        if !was_answered && self.outstanding.settle_garbled() {
            return Event::Answered(answer);
        }
        let state = if was_answered { "was answered before" } else { "is not outstanding there" };
        Event::Violated(Violation {
            rule: if was_answered { Rule::AckTwice } else { Rule::AckUnknown },
            detail: format!(
                "one came in {} with id {}, which {state}",
                excerpt(&answer.namespace),
                answer.id
            ),
        })
    }

    /// Whether attachments are due, and each begins with a letter in a poll.
    fn lacks_letters(&self) -> bool {
        self.lacks_attachments() && self.dialect.framing == Framing::Separated
    }

    /// Whether attachments are due of a packet that has come.
    pub fn lacks_attachments(&self) -> bool {
        self.assembler.pending()
    }

    /// Does the same with each packet of a payload that a rude scenario posts by hand.
    pub fn note_raw_payload(&mut self, payload: &str) {
        match self.dialect.framing {
            Framing::Separated => payload.split(payload::SEPARATOR).for_each(|packet| self.note_raw(packet)),
            Framing::Counted => {
                for packet in counted::packets(payload.as_bytes()).flatten() {
                    let mut text = String::new();
                    engine_io::encode_text(&packet, &mut text);
                    self.note_raw(&text);
                }
            }
        }
    }

    /// Keeps in mind a packet that a rude scenario says by hand, so that the answer is no surprise. It need not be
    /// legal: a lenient server may take `0/custom,[]` for a CONNECT, and echo an id that no number holds.
    pub fn note_raw(&mut self, text: &str) {
        if text.starts_with('2') {
            self.pong_due = true;
        }
        let Some(text) = text.strip_prefix('4') else { return };
        let Some(packet) = socket_io::outline(text) else { return };
        match (packet.kind, packet.id) {
            (Kind::Connect, _) => {
                let name = match self.dialect.auth {
                    Auth::Payload => packet.namespace,
                    Auth::Query => without_query(packet.namespace),
                };
                // A server that takes what stands behind a question mark for a query answers under the name before it.
                let names = [name, without_query(name)];
                for name in names.iter().take(if names[0] == names[1] { 1 } else { 2 }) {
                    let namespace = Namespace::of(&mut self.namespaces, name);
                    match namespace.phase {
                        Phase::Out => namespace.phase = Phase::Asked,
                        Phase::Asked | Phase::In => namespace.asked_again = true,
                    }
                }
            }
            (Kind::Disconnect, _) if socket_io::decode(text).is_ok() => {
                if let Some(place) = self.place(packet.namespace) {
                    self.namespaces[place].phase = Phase::Out;
                    self.namespaces[place].forget();
                }
            }
            (Kind::Event | Kind::BinaryEvent, None) if socket_io::decode(text).is_err() => {
                self.outstanding.note_garbled();
            }
            (Kind::Event | Kind::BinaryEvent, Some(id)) => {
                Namespace::of(&mut self.namespaces, packet.namespace);
                if let Some(place) = self.place(packet.namespace) {
                    self.outstanding.note_written(id, place);
                }
            }
            _ => {}
        }
    }

    /// Whether a text that cannot be read acknowledges an id above 2^64 that a rude scenario wrote.
    fn echoes_written_id(&mut self, text: &str) -> bool {
        let Some(packet) = socket_io::outline(text) else { return false };
        let is_ack = matches!(packet.kind, Kind::Ack | Kind::BinaryAck);
        let place = self.place(packet.namespace);
        let is_written = packet.id.is_some_and(|id| self.outstanding.settle_written(id, place));
        is_ack && (is_written || self.outstanding.settle_garbled())
    }

    /// A guest knows of no namespace who joined it, and learns of them by what comes.
    fn get_to_know(&mut self, name: &str) {
        if self.guest && self.namespaces.len() < MOST_OF_A_GUEST && self.namespace(name).is_none() {
            Namespace::of(&mut self.namespaces, name).phase = Phase::In;
        }
    }
}

/// The name of a namespace, without what may stand behind it in a dialect that has credentials there.
fn without_query(name: &str) -> &str {
    name.split_once('?').map_or(name, |(name, _)| name)
}

fn unexpected(name: &str, payload: &str) -> Event<'static> {
    let with = if payload.is_empty() { String::new() } else { format!(" with {}", excerpt(payload)) };
    let detail = format!("the server sent {name}{with}, which has no meaning here");
    Event::Violated(Violation { rule: Rule::PacketUnexpected, detail })
}
