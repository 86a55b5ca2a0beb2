//! One connection's protocol state, without IO: Engine.IO v4 with Socket.IO v5 on top.
//!
//! A [`Session`] is told what arrived ([`Session::receive`], [`Session::response`], [`Session::lost`]), what to
//! do ([`Session::connect`], [`Session::emit`] …) and what time it is ([`Session::tick`]). It answers through a
//! [`Wire`] (frames and requests to send) and with [`Event`]s, at most one for each packet. Call
//! [`Session::tick`] when [`Session::wake`] is reached. It holds no clock, no socket and no task.
//!
//! Neighbours: [`crate::protocol`] knows the packets; [`crate::client`] owns a session and interprets events.
//! Specification: Engine.IO protocol v4 ("EIO"), Socket.IO protocol v5 ("SIO").

mod event;
mod namespace;
mod polling;
mod requests;
mod upgrade;
mod wire;

use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;

use crate::protocol::attachments::{Assembled, Assembler};
use crate::protocol::engine_io::{self, Handshake, Packet};
use crate::protocol::socket_io::{self, Kind};
use crate::protocol::{Rule, Violation};

pub use event::{Answer, Closed, Event, Message};
pub use namespace::{Namespace, Phase};
pub use polling::Payload;
pub use requests::Destination;
pub use wire::{HangUp, Lane, Lost, Phases, RawFrame, Request, Wire};

use polling::Polling;
use requests::Requests;
use upgrade::Upgrade;

/// Which transports a session uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// A WebSocket from the first byte.
    #[default]
    Websocket,
    /// HTTP long-polling, for good.
    Polling,
    /// HTTP long-polling first, then upgraded to a WebSocket, as browsers do.
    Upgrade,
}

impl Transport {
    /// The word for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Websocket => "websocket",
            Transport::Polling => "polling",
            Transport::Upgrade => "upgrade",
        }
    }
}

/// Which heartbeats a session leaves unanswered. Only rude scenarios ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Heartbeats {
    /// Each ping is answered by a pong.
    #[default]
    Answered,
    /// Pings are heard and not answered.
    Muted,
}

/// Who sends the polls of a polling session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Polls {
    /// The session: one is always pending.
    #[default]
    Automatic,
    /// The scenario, request by request.
    ByHand,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Opening,
    Open,
    Closing,
    Closed,
}

/// What one binary packet may bring: far more than servers allow, far less than would hurt.
fn assembler() -> Assembler {
    Assembler::new(256, 64 << 20)
}

/// The largest number of unanswered acknowledgements that a session remembers; older ones are forgotten.
const OUTSTANDING_ACKS: usize = 4096;

/// One connection's protocol state. See the module's head.
#[derive(Debug)]
pub struct Session {
    state: State,
    /// Who carries packets now; `None` stands for "the WebSocket".
    polling: Option<Box<Polling>>,
    upgrade: Upgrade,
    heartbeats: Heartbeats,
    requests: Requests,
    /// Whether the scenario has sent something of its own, so that not all that the server says was asked here.
    by_hand: bool,
    handshake: Option<Box<Handshake>>,
    /// When the next ping of the server is overdue.
    overdue: Option<Instant>,
    namespaces: Vec<Namespace>,
    assembler: Assembler,
    next_ack: u64,
    /// Acknowledgements asked for and not answered: id and place of the namespace.
    outstanding: Vec<(u64, usize)>,
}

impl Session {
    /// A session that is not open yet.
    pub fn new(destination: Destination) -> Session {
        Session {
            state: State::Idle,
            polling: None,
            upgrade: Upgrade::None,
            heartbeats: Heartbeats::Answered,
            requests: Requests::new(destination),
            by_hand: false,
            handshake: None,
            overdue: None,
            namespaces: Vec::new(),
            assembler: assembler(),
            next_ack: 0,
            outstanding: Vec::new(),
        }
    }

    /// Begins the Engine.IO handshake. Cookies and what is needed for recovery are kept from an earlier
    /// connection; everything else starts anew.
    pub fn open(&mut self, wire: &mut dyn Wire, transport: Transport) {
        self.state = State::Opening;
        self.by_hand = false;
        self.handshake = None;
        self.overdue = None;
        self.assembler = assembler();
        self.outstanding.clear();
        self.heartbeats = Heartbeats::Answered;
        for namespace in &mut self.namespaces {
            namespace.phase = Phase::Out;
        }
        match transport {
            Transport::Websocket => {
                self.polling = None;
                self.upgrade = Upgrade::None;
                self.requests.dial(wire, None);
            }
            Transport::Polling | Transport::Upgrade => {
                self.upgrade = if transport == Transport::Upgrade { Upgrade::Wanted } else { Upgrade::None };
                let polling = self.polling.insert(Box::default());
                polling.poll(wire, &self.requests, None);
            }
        }
    }

    /// Whether the Engine.IO connection is open.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether there is no connection and none is being made.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Idle | State::Closed)
    }

    /// Whether an upgrade is still under way.
    pub fn is_upgrading(&self) -> bool {
        !matches!(self.upgrade, Upgrade::None)
    }

    /// Whether packets are carried by long-polling at the moment.
    pub fn is_polling(&self) -> bool {
        self.polling.is_some()
    }

    /// The server's handshake, once it has come.
    pub fn handshake(&self) -> Option<&Handshake> {
        self.handshake.as_deref()
    }

    /// What is known of a namespace.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| &*namespace.name == name)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.namespaces.iter().position(|namespace| &*namespace.name == name)
    }

    /// Whether the namespace has accepted our `CONNECT`.
    pub fn is_connected(&self, name: &str) -> bool {
        self.namespace(name).is_some_and(|namespace| namespace.phase == Phase::In)
    }

    /// Where requests go, and with what headers; for steps that make requests of their own.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Changes query and headers of the connections to come.
    pub fn set_destination(&mut self, destination: Destination) {
        self.requests.set_destination(destination);
    }

    /// Answers heartbeats, or leaves them unanswered.
    pub fn set_heartbeats(&mut self, heartbeats: Heartbeats) {
        self.heartbeats = heartbeats;
    }

    /// Says who sends the polls after the handshake.
    pub fn set_polls(&mut self, wire: &mut dyn Wire, polls: Polls) {
        let open = self.state == State::Open;
        if let Some(polling) = &mut self.polling {
            polling.polls = polls;
            if open && polls == Polls::Automatic {
                polling.poll(wire, &self.requests, self.handshake.as_deref());
            }
        }
    }

    /// Sends `CONNECT` to a namespace (SIO "Connection to a namespace").
    ///
    /// `auth` is a JSON object. With `recover`, the recovery id and offset of the last connection to this
    /// namespace are sent too, if the server gave any.
    pub fn connect(&mut self, wire: &mut dyn Wire, name: &str, auth: Option<&str>, recover: bool) {
        let namespace = Namespace::of(&mut self.namespaces, name);
        namespace.phase = Phase::Asked;
        if !recover {
            namespace.forget();
        }
        let payload = namespace.payload(auth);
        self.send_header(wire, Kind::Connect, 0, name, None, payload.as_deref());
    }

    /// Sends an event; `data` is the JSON array of its name and arguments, with placeholders for
    /// `attachments`. With `ack`, an acknowledgement is asked for and its id returned.
    ///
    /// # Errors
    /// When the namespace is not connected: nothing is sent then.
    pub fn emit(
        &mut self,
        wire: &mut dyn Wire,
        name: &str,
        data: &str,
        attachments: &[Bytes],
        ack: bool,
    ) -> Result<Option<u64>, NotConnected> {
        let place = self.place(name).ok_or(NotConnected)?;
        if self.state != State::Open || self.namespaces[place].phase != Phase::In {
            return Err(NotConnected);
        }
        let id = ack.then(|| {
            let id = self.next_ack;
            self.next_ack += 1;
            if self.outstanding.len() == OUTSTANDING_ACKS {
                self.outstanding.remove(0);
            }
            self.outstanding.push((id, place));
            id
        });
        let kind = if attachments.is_empty() { Kind::Event } else { Kind::BinaryEvent };
        self.send_packet(wire, kind, name, id, data, attachments);
        Ok(id)
    }

    /// Answers an acknowledgement that the server asked for; `data` is a JSON array.
    pub fn answer(&mut self, wire: &mut dyn Wire, name: &str, id: u64, data: &str, attachments: &[Bytes]) {
        let kind = if attachments.is_empty() { Kind::Ack } else { Kind::BinaryAck };
        self.send_packet(wire, kind, name, Some(id), data, attachments);
    }

    /// Leaves one namespace; the connection and the other namespaces stay (SIO "Disconnection").
    pub fn disconnect(&mut self, wire: &mut dyn Wire, name: &str) {
        self.send_header(wire, Kind::Disconnect, 0, name, None, None);
        let namespace = Namespace::of(&mut self.namespaces, name);
        namespace.phase = Phase::Out;
        namespace.forget();
    }

    /// Ends the connection politely: leaves every namespace, then closes. [`Event::Closed`] follows when the
    /// server has taken note.
    pub fn close(&mut self, wire: &mut dyn Wire) {
        if self.is_closed() {
            return;
        }
        let joined: Vec<Box<str>> =
            self.namespaces.iter().filter(|n| n.phase == Phase::In).map(|n| n.name.clone()).collect();
        for name in joined {
            self.disconnect(wire, &name);
        }
        let was_open = self.state == State::Open;
        self.state = State::Closing;
        if self.is_upgrading() {
            self.upgrade = Upgrade::None;
            wire.hang_up(Lane::WebSocket, HangUp::Cut);
        }
        match &mut self.polling {
            Some(polling) if was_open => polling.close(wire, &self.requests, self.handshake.as_deref()),
            Some(_) => self.cut(wire),
            None => wire.hang_up(Lane::WebSocket, HangUp::Clean),
        }
    }

    /// Ends the connection abruptly: every TCP connection is cut. What is needed for recovery is kept.
    pub fn cut(&mut self, wire: &mut dyn Wire) {
        for lane in [Lane::WebSocket, Lane::Poll, Lane::Post] {
            wire.hang_up(lane, HangUp::Cut);
        }
        self.end();
    }

    /// Sends one text as a whole Engine.IO frame (WebSocket) or payload item (polling), whatever it says.
    pub fn send_raw(&mut self, wire: &mut dyn Wire, text: &str) {
        self.by_hand = true;
        self.send_text(wire, &[text]);
    }

    /// Sends bytes as a whole binary frame (WebSocket) or `b…` payload item (polling).
    pub fn send_raw_binary(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        self.by_hand = true;
        self.send_binary(wire, bytes);
    }

    /// Sends a WebSocket frame, legal or not.
    pub fn send_frame(&mut self, wire: &mut dyn Wire, frame: &RawFrame) {
        self.by_hand = true;
        wire.frame(Lane::WebSocket, frame);
    }

    /// Takes one Engine.IO packet that arrived on a lane.
    pub fn receive<'a>(
        &mut self,
        wire: &mut dyn Wire,
        lane: Lane,
        packet: Packet<'a>,
        now: Instant,
    ) -> Option<Event<'a>> {
        match packet {
            Packet::Text(text) => self.receive_socket_io(text),
            Packet::Binary(bytes) => match self.assembler.push(&bytes) {
                Ok(None) => None,
                Ok(Some(whole)) => self.deliver_assembled(whole),
                Err(violation) => Some(Event::Violated(violation)),
            },
            Packet::Ping(payload) => {
                match self.heartbeats {
                    Heartbeats::Answered => {
                        self.expect_ping(now);
                        self.send_text(wire, &["3", payload]);
                    }
                    // The next ping follows the pong, so that none is due while this one is unanswered.
                    Heartbeats::Muted => self.overdue = None,
                }
                Some(Event::Heartbeat)
            }
            Packet::Pong("probe") if lane == Lane::WebSocket && self.upgrade == Upgrade::Probing => {
                self.upgrade = Upgrade::Pausing;
                self.finish_upgrade(wire)
            }
            Packet::Open(json) if self.state == State::Opening => match Handshake::decode(json) {
                Ok(handshake) => Some(self.opened(wire, handshake, now)),
                Err(violation) => Some(Event::Violated(violation)),
            },
            Packet::Close => Some(self.finish(wire, Closed::ByServer)),
            Packet::Noop => None,
            Packet::Open(_) | Packet::Pong(_) | Packet::Upgrade => Some(Event::Violated(Violation {
                rule: Rule::PacketUnexpected,
                detail: format!("the server sent {packet:?}, which has no meaning here"),
            })),
        }
    }

    /// The WebSocket handshake was accepted.
    pub fn dialed(&mut self, wire: &mut dyn Wire) {
        if self.upgrade == Upgrade::Dialing {
            self.upgrade = Upgrade::Probing;
            wire.text(Lane::WebSocket, &["2probe"]);
        }
    }

    /// A lane is no more.
    pub fn lost(&mut self, wire: &mut dyn Wire, lane: Lane, lost: Lost) -> Option<Event<'static>> {
        match (lane, self.state) {
            (Lane::Aside(_), _) | (_, State::Idle | State::Closed) => None,
            (Lane::WebSocket, _) if self.is_upgrading() => {
                self.resume_polling(wire);
                Some(Event::UpgradeFailed(lost.to_string()))
            }
            (_, State::Closing) => Some(self.finish(wire, Closed::Asked)),
            _ => Some(self.finish(wire, Closed::Lost(lane, lost))),
        }
    }

    /// Tells the time. Call it when [`Session::wake`] is reached.
    pub fn tick(&mut self, wire: &mut dyn Wire, now: Instant) -> Option<Event<'static>> {
        if self.overdue.is_some_and(|overdue| now >= overdue) && self.state == State::Open {
            return Some(self.finish(wire, Closed::NoPing));
        }
        None
    }

    /// When to call [`Session::tick`].
    pub fn wake(&self) -> Option<Instant> {
        self.overdue
    }

    fn opened(&mut self, wire: &mut dyn Wire, handshake: Handshake, now: Instant) -> Event<'static> {
        self.state = State::Open;
        if self.upgrade == Upgrade::Wanted {
            if handshake.upgrades.iter().any(|upgrade| upgrade == "websocket") {
                self.upgrade = Upgrade::Dialing;
                self.requests.dial(wire, Some(&handshake.sid));
            } else {
                self.upgrade = Upgrade::None;
            }
        }
        self.handshake = Some(Box::new(handshake));
        self.expect_ping(now);
        Event::Opened
    }

    /// EIO "Heartbeat": without a ping for `pingInterval + pingTimeout` the client takes the connection for lost.
    fn expect_ping(&mut self, now: Instant) {
        self.overdue = self.handshake.as_ref().map(|h| now + h.ping_interval + h.ping_timeout);
    }

    fn receive_socket_io<'a>(&mut self, text: &'a str) -> Option<Event<'a>> {
        if let Err(violation) = self.assembler.interrupt() {
            return Some(Event::Violated(violation));
        }
        let packet = match socket_io::decode(text) {
            Ok(packet) => packet,
            Err(violation) => return Some(Event::Violated(violation)),
        };
        let data = packet.data.unwrap_or("");
        match packet.kind {
            Kind::Connect => {
                Some(namespace::accepted(&mut self.namespaces, packet.namespace, data, self.by_hand))
            }
            Kind::ConnectError => {
                namespace::refused(&mut self.namespaces, packet.namespace, data, self.by_hand)
            }
            Kind::Disconnect => namespace::ended(&mut self.namespaces, packet.namespace, self.by_hand),
            Kind::Event => self.deliver(Message {
                namespace: Cow::Borrowed(packet.namespace),
                id: packet.id,
                data: Cow::Borrowed(data),
                attachments: Vec::new(),
            }),
            Kind::Ack => self.acknowledged(Answer {
                namespace: Cow::Borrowed(packet.namespace),
                id: packet.id.unwrap_or_default(),
                data: Cow::Borrowed(data),
                attachments: Vec::new(),
            }),
            Kind::BinaryEvent | Kind::BinaryAck => match self.assembler.begin(&packet) {
                Ok(None) => None,
                Ok(Some(whole)) => self.deliver_assembled(whole),
                Err(violation) => Some(Event::Violated(violation)),
            },
        }
    }

    fn deliver_assembled(&mut self, whole: Assembled) -> Option<Event<'static>> {
        let namespace = Cow::Owned(whole.namespace);
        let data = Cow::Owned(whole.data);
        let attachments = whole.attachments;
        if whole.kind == Kind::BinaryAck {
            let id = whole.id.unwrap_or_default();
            return self.acknowledged(Answer { namespace, id, data, attachments });
        }
        self.deliver(Message { namespace, id: whole.id, data, attachments })
    }

    fn deliver<'a>(&mut self, message: Message<'a>) -> Option<Event<'a>> {
        match self.namespaces.iter_mut().find(|n| *n.name == *message.namespace) {
            // A recovering server may replay before it accepts, so "asked" counts as in.
            Some(namespace) if namespace.phase != Phase::Out => {
                namespace.note_offset(&message);
                Some(Event::Message(message))
            }
            // Under way when we left: nobody's fault.
            Some(_) => None,
            None if self.by_hand => None,
            None => Some(Event::Violated(Violation {
                rule: Rule::NamespaceUnknown,
                detail: format!("an event came from `{}`, which was never joined", message.namespace),
            })),
        }
    }

    fn acknowledged<'a>(&mut self, answer: Answer<'a>) -> Option<Event<'a>> {
        let namespace = self.place(&answer.namespace);
        match self.outstanding.iter().position(|(id, place)| *id == answer.id && Some(*place) == namespace) {
            Some(found) => {
                self.outstanding.swap_remove(found);
                Some(Event::Answered(answer))
            }
            None if self.by_hand => None,
            None => Some(Event::Violated(Violation {
                rule: Rule::AckUnknown,
                detail: format!(
                    "one came in `{}` with id {}, which is not outstanding there",
                    answer.namespace, answer.id
                ),
            })),
        }
    }

    fn send_packet(
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

    fn send_header(
        &mut self,
        wire: &mut dyn Wire,
        kind: Kind,
        attachments: u32,
        name: &str,
        id: Option<u64>,
        data: Option<&str>,
    ) {
        let mut head = String::with_capacity(24 + name.len());
        head.push('4');
        socket_io::Packet { kind, attachments, namespace: name, id, data: None }.encode(&mut head);
        self.send_text(wire, &[&head, data.unwrap_or("")]);
    }

    fn send_text(&mut self, wire: &mut dyn Wire, parts: &[&str]) {
        match &mut self.polling {
            None => wire.text(Lane::WebSocket, parts),
            Some(polling) => {
                polling.queue_text(parts);
                self.flush_posts(wire);
            }
        }
    }

    fn send_binary(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        match &mut self.polling {
            None => wire.binary(Lane::WebSocket, bytes),
            Some(polling) => {
                polling.queue_binary(bytes);
                self.flush_posts(wire);
            }
        }
    }

    /// Posts what is queued, unless a post is under way or the upgrade wants the lane quiet.
    fn flush_posts(&mut self, wire: &mut dyn Wire) {
        if self.upgrade == Upgrade::Pausing {
            return;
        }
        if let Some(polling) = &mut self.polling {
            polling.post(wire, &self.requests, self.handshake.as_deref());
        }
    }

    /// Ends every lane and reports why.
    fn finish(&mut self, wire: &mut dyn Wire, why: Closed) -> Event<'static> {
        let asked = self.state == State::Closing;
        if self.polling.is_some() {
            wire.hang_up(Lane::Poll, HangUp::Clean);
            wire.hang_up(Lane::Post, HangUp::Clean);
        }
        if self.polling.is_none() || self.is_upgrading() {
            wire.hang_up(Lane::WebSocket, HangUp::Cut);
        }
        self.end();
        Event::Closed(if asked { Closed::Asked } else { why })
    }

    fn end(&mut self) {
        self.state = State::Closed;
        self.overdue = None;
        self.polling = None;
        self.upgrade = Upgrade::None;
        self.outstanding.clear();
        for namespace in &mut self.namespaces {
            namespace.phase = Phase::Out;
        }
    }
}

/// The namespace is not connected, so nothing can be sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotConnected;

impl std::fmt::Display for NotConnected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not connected")
    }
}

impl std::error::Error for NotConnected {}

/// Decodes a WebSocket text frame for [`Session::receive`].
///
/// # Errors
/// When the frame is no Engine.IO packet.
pub fn packet_of_text(text: &str) -> Result<Packet<'_>, Violation> {
    engine_io::decode_text(text)
}
