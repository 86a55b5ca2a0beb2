//! One connection's protocol state, without IO: Engine.IO with Socket.IO on top, in one of its dialects.
//!
//! A [`Session`] is told what arrived ([`Session::handle_packet`], [`Session::handle_response`], [`Session::handle_lost`]), what to
//! do ([`Session::connect`], [`Session::emit`] …) and what time it is ([`Session::handle_timeout`]). It answers through a
//! [`Wire`] (frames and requests to send) and with [`Event`]s, at most one for each packet. Call
//! [`Session::handle_timeout`] when [`Session::poll_timeout`] is reached. It holds no clock, no socket and no task.
//!
//! Neighbours: [`crate::protocol`] knows the packets; [`crate::client`] owns a session and interprets events.
//! Specification: Engine.IO protocol v4 ("EIO"), Socket.IO protocol v5 ("SIO"). In what older servers differ is asked of
//! the [`Dialect`], property by property.

mod cookies;
mod event;
mod heartbeat;
mod namespace;
mod outstanding;
mod polling;
mod receiving;
mod requests;
mod sending;
mod transport;
mod upgrade;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use crate::protocol::Rule;
use crate::protocol::attachments::Assembler;
use crate::protocol::dialect::{Auth, Dialect, MainNamespace, Parser, SocketIds};
use crate::protocol::engine_io::Handshake;
use crate::protocol::http::Head;
use crate::protocol::socket_io::{Kind, MAIN, Packet};

pub use event::{Answer, Closed, Event, Posted, ServerEvent};
pub(crate) use namespace::is_astray;
pub use namespace::{Namespace, Phase};
pub use polling::Payload;
pub use requests::{Destination, Destinations, TRACEPARENT};
pub use sending::query_of;
pub use transport::Transport;
pub use wire::{Channel, HangUp, Lost, Phases, RawFrame, Request, Shortage, Wire};

use heartbeat::Heartbeat;
use outstanding::Outstanding;
use polling::Polling;
use requests::Requests;

/// Which heartbeats a session leaves unanswered. Only rude scenarios ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Heartbeats {
    /// Each ping is answered by a pong; or sent, in a dialect in which the client does that.
    #[default]
    Answered,
    /// Pings are received and not answered, or not sent.
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

/// What became of the wish to be in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connecting {
    /// The answer of the server is due.
    Asked,
    /// The server has put the client into it already, unasked.
    Standing,
}

/// The namespace is not connected, so nothing can be sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotConnected;

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not connected")
    }
}

impl std::error::Error for NotConnected {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Opening,
    Open,
    Closing,
    Closed,
}

/// How far an upgrade has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upgrade {
    /// None is under way.
    None,
    /// To be begun as soon as the handshake is there.
    Wanted,
    /// The handshake of the stream is under way.
    Dialing,
    /// `2probe` is sent.
    Probing,
    /// `3probe` has come; poll and post are coming home.
    Pausing,
}

/// What one binary packet may bring: far more than servers allow, far less than would hurt.
fn assembler() -> Assembler {
    Assembler::new(256, 64 << 20)
}

/// One connection's protocol state. See the module's head.
#[derive(Debug)]
pub struct Session {
    dialect: &'static Dialect,
    parser: Parser,
    state: State,
    /// How many connections it has begun.
    begun: u64,
    /// Who carries packets now; `None` stands for "the stream".
    polling: Option<Box<Polling>>,
    /// Whether that was polling when the connection ended.
    polled: bool,
    /// What carries packets where polling does not, and to what polling is upgraded.
    stream: Channel,
    /// What it has said, as far as a server may lose it.
    said: sending::Said,
    /// For how long a post had had no answer when the connection ended.
    post_unanswered: Option<Duration>,
    upgrade: Upgrade,
    heartbeats: Heartbeats,
    requests: Requests,
    handshake: Option<Box<Handshake>>,
    heartbeat: Heartbeat,
    namespaces: Vec<Namespace>,
    assembler: Assembler,
    outstanding: Outstanding,
    /// Whether it speaks on a session that another client opened, of which it knows nothing.
    guest: bool,
    /// Whether a ping was sent by hand, so that a pong is no surprise.
    pong_due: bool,
    /// Whether the server sent a close packet over the stream, whose end is awaited.
    farewell: bool,
    /// Until when a step waits for that end, if one does.
    end_awaited: Option<Instant>,
}

/// How long the end of the stream may take after a close packet of the server.
const FAREWELL: Duration = Duration::from_millis(200);

impl Session {
    /// A session that is not open yet.
    pub fn new(destination: impl Into<Arc<Destination>>) -> Session {
        let destination = destination.into();
        Session {
            dialect: destination.dialect,
            parser: destination.parser,
            state: State::Idle,
            begun: 0,
            polling: None,
            polled: false,
            stream: Channel::WebSocket,
            said: sending::Said::default(),
            post_unanswered: None,
            upgrade: Upgrade::None,
            heartbeats: Heartbeats::Answered,
            requests: Requests::new(destination),
            handshake: None,
            heartbeat: Heartbeat::None,
            namespaces: Vec::new(),
            assembler: assembler(),
            outstanding: Outstanding::default(),
            guest: false,
            pong_due: false,
            farewell: false,
            end_awaited: None,
        }
    }

    /// Begins the Engine.IO handshake. Cookies and what is needed for recovery are kept from an earlier
    /// connection, which is cut if it still stands; everything else starts anew.
    pub fn open(&mut self, wire: &mut dyn Wire, transport: Transport) {
        self.begin(wire);
        self.stream = transport.stream();
        match transport {
            Transport::Websocket | Transport::Webtransport => self.requests.dial(wire, self.stream, None),
            Transport::Polling | Transport::Upgrade | Transport::UpgradeToWebtransport => {
                self.upgrade = if transport.upgrades() { Upgrade::Wanted } else { Upgrade::None };
                let polling = self.polling.insert(Box::default());
                polling.poll(wire, &self.requests, None);
            }
        }
    }

    /// Opens a second connection, a WebSocket, for a session that another client opened: for scenarios that speak on it
    /// by hand. It is open when the WebSocket stands; no handshake follows.
    pub fn join(&mut self, wire: &mut dyn Wire, sid: &str) {
        self.begin(wire);
        self.stream = Channel::WebSocket;
        self.guest = true;
        self.requests.dial(wire, self.stream, Some(sid));
    }

    /// Forgets the connection before.
    fn begin(&mut self, wire: &mut dyn Wire) {
        if !self.is_closed() {
            self.cut(wire);
        }
        self.state = State::Opening;
        self.begun += 1;
        self.handshake = None;
        self.heartbeat = Heartbeat::None;
        self.assembler = assembler();
        self.outstanding.clear();
        self.heartbeats = Heartbeats::Answered;
        for namespace in &mut self.namespaces {
            namespace.phase = Phase::Out;
            namespace.asked_again = false;
        }
        self.polling = None;
        self.said = sending::Said::default();
        self.post_unanswered = None;
        self.upgrade = Upgrade::None;
        self.guest = false;
        self.pong_due = false;
        self.farewell = false;
        self.end_awaited = None;
    }

    /// In which dialect it speaks.
    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// With which parser it writes and reads packets.
    pub fn parser(&self) -> Parser {
        self.parser
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

    /// The rule that the server breaks if the upgrade that is under way comes to nothing.
    pub fn unfinished_upgrade(&self) -> Rule {
        match self.upgrade {
            Upgrade::Pausing => Rule::UpgradeRelease,
            Upgrade::None | Upgrade::Wanted | Upgrade::Dialing | Upgrade::Probing => Rule::UpgradeProbe,
        }
    }

    /// Whether the client has said goodbye and waits for the server to take note.
    pub fn is_closing(&self) -> bool {
        self.state == State::Closing
    }

    /// Whether its goodbye is on the way already: over long-polling it waits for the post before it.
    pub fn has_said_goodbye(&self) -> bool {
        self.is_closing() && self.polling.as_ref().is_none_or(|polling| polling.has_posted_all())
    }

    /// Whether packets are carried by long-polling at the moment.
    pub fn is_polling(&self) -> bool {
        self.polling.is_some()
    }

    /// What carries packets where polling does not: a WebSocket or a WebTransport session.
    pub fn stream(&self) -> Channel {
        self.stream
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

    /// Whether an event of this namespace comes before the reply to our `CONNECT`, and is no replay for one who comes back.
    pub fn is_early(&self, name: &str) -> bool {
        let is_due = |namespace: &Namespace| namespace.phase == Phase::Asked && namespace.pid.is_none();
        self.dialect.socket_ids == SocketIds::InReply && self.namespace(name).is_some_and(is_due)
    }

    /// Whether any namespace has accepted our `CONNECT`.
    pub fn is_connected_anywhere(&self) -> bool {
        self.namespaces.iter().any(|namespace| namespace.phase == Phase::In)
    }

    /// Keeps the cookies of the answer to a WebSocket handshake, or of the response to a request for this target; those of
    /// polls and posts are kept by themselves.
    pub fn keep_cookies(&mut self, head: &Head, target: Option<&str>) {
        self.requests.keep_cookies(head, target);
    }

    /// The value of a cookie that it has.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.requests.cookie(name)
    }

    /// Tells the time, by which cookies expire.
    pub fn note_time(&mut self, now: Instant) {
        self.requests.note_time(now);
    }

    /// Where requests go, and with what headers; for steps that make requests of their own.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Changes dialect, query and headers of the connections to come.
    pub fn set_destination(&mut self, destination: impl Into<Arc<Destination>>) {
        let destination = destination.into();
        self.dialect = destination.dialect;
        self.parser = destination.parser;
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

    /// Sends `CONNECT` to a namespace (SIO "Connection to a namespace"), unless the server connects it by itself.
    ///
    /// `auth` is a JSON object. With `recover`, the recovery id and offset of the last connection to this
    /// namespace are sent too, if the server gave any.
    pub fn connect(
        &mut self,
        wire: &mut dyn Wire,
        name: &str,
        auth: Option<&str>,
        recover: bool,
    ) -> Connecting {
        let namespace = Namespace::of(&mut self.namespaces, name);
        if name == MAIN && self.dialect.main_namespace == MainNamespace::Unasked {
            match namespace.phase {
                Phase::In => return Connecting::Standing,
                Phase::Asked => return Connecting::Asked,
                Phase::Out => {}
            }
        }
        namespace.phase = Phase::Asked;
        if !recover {
            namespace.forget();
        }
        match self.dialect.auth {
            Auth::Payload => {
                let payload = namespace.payload(auth);
                self.send_packet(wire, Kind::Connect, name, None, payload.as_deref(), &[]);
            }
            Auth::Query => {
                let query = auth.map(query_of).unwrap_or_default();
                let asked = if name == MAIN || query.is_empty() {
                    name.to_owned()
                } else {
                    format!("{name}?{query}")
                };
                self.send_packet(wire, Kind::Connect, &asked, None, None, &[]);
            }
        }
        Connecting::Asked
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
        let id = ack.then(|| self.outstanding.ask(place));
        let kind = if attachments.is_empty() { Kind::Event } else { Kind::BinaryEvent };
        self.send_packet(wire, kind, name, id, Some(data), attachments);
        Ok(id)
    }

    /// Answers an acknowledgement that the server asked for; `data` is a JSON array. A namespace that was left in
    /// the meantime is not answered.
    pub fn answer(&mut self, wire: &mut dyn Wire, name: &str, id: u64, data: &str, attachments: &[Bytes]) {
        if !self.is_connected(name) {
            return;
        }
        let kind = if attachments.is_empty() { Kind::Ack } else { Kind::BinaryAck };
        self.send_packet(wire, kind, name, Some(id), Some(data), attachments);
    }

    /// Leaves one namespace; the connection and the other namespaces stay (SIO "Disconnection").
    pub fn disconnect(&mut self, wire: &mut dyn Wire, name: &str) {
        self.send_packet(wire, Kind::Disconnect, name, None, None, &[]);
        let namespace = Namespace::of(&mut self.namespaces, name);
        namespace.phase = Phase::Out;
        namespace.forget();
    }

    /// Ends the connection politely: leaves every namespace, then closes. [`Event::Closed`] follows when the
    /// server has taken note. A connection that is not open yet is cut instead.
    pub fn close(&mut self, wire: &mut dyn Wire) {
        match self.state {
            State::Idle | State::Closing | State::Closed => return,
            State::Opening => return self.cut(wire),
            State::Open => {}
        }
        let mut namespaces = std::mem::take(&mut self.namespaces);
        for namespace in namespaces.iter_mut().filter(|namespace| namespace.phase == Phase::In) {
            let name = &namespace.name;
            // Over long-polling all farewells travel with the word `close`, not in posts of their own.
            let farewell =
                Packet { kind: Kind::Disconnect, attachments: 0, namespace: name, id: None, data: None };
            self.queue_packet(wire, &farewell, &[]);
            namespace.phase = Phase::Out;
            namespace.forget();
        }
        self.namespaces = namespaces;
        self.state = State::Closing;
        if self.is_upgrading() {
            self.upgrade = Upgrade::None;
            wire.hang_up(self.stream, HangUp::Cut);
        }
        match &mut self.polling {
            Some(polling) => polling.close(wire, &self.requests, self.handshake.as_deref()),
            None => wire.hang_up(self.stream, HangUp::Clean),
        }
    }

    /// Ends the connection abruptly: every TCP connection is cut. What is needed for recovery is kept.
    pub fn cut(&mut self, wire: &mut dyn Wire) {
        for channel in [self.stream, Channel::Poll, Channel::Post] {
            wire.hang_up(channel, HangUp::Cut);
        }
        self.end();
    }

    /// Sends one text as a whole Engine.IO frame (WebSocket) or payload item (polling), whatever it says. If it is
    /// a packet that the server answers, the answer is no surprise.
    pub fn send_raw(&mut self, wire: &mut dyn Wire, text: &str) {
        if self.is_open() {
            self.note_raw(text);
        }
        self.note_bytes(self.is_polling() && text.contains("\u{1e}b"));
        self.send_text(wire, &[text]);
    }

    /// Sends bytes as a whole binary frame (WebSocket) or binary payload item (polling).
    pub fn send_raw_binary(&mut self, wire: &mut dyn Wire, bytes: &[u8]) {
        self.send_bytes(wire, bytes);
    }

    /// The WebSocket handshake, or the WebTransport session, was accepted. Over the latter the client asks for the handshake of
    /// Engine.IO, or says which session it upgrades, in a packet.
    pub fn handle_dialed(&mut self, wire: &mut dyn Wire) {
        if self.stream == Channel::WebTransport {
            let sid = self.handshake.as_ref().filter(|_| self.upgrade == Upgrade::Dialing);
            let sid = sid.map(|handshake| format!("{{\"sid\":{}}}", Value::from(&*handshake.sid)));
            wire.text(self.stream, &["0", sid.as_deref().unwrap_or_default()]);
        }
        if self.guest && self.state == State::Opening {
            self.state = State::Open;
        }
        if self.upgrade == Upgrade::Dialing {
            self.upgrade = Upgrade::Probing;
            wire.text(self.stream, &["2probe"]);
        }
    }

    /// A channel is no more.
    pub fn handle_lost(
        &mut self,
        wire: &mut dyn Wire,
        channel: Channel,
        lost: Lost,
    ) -> Option<Event<'static>> {
        if let Lost::Refused(answer) = &lost {
            self.requests.keep_cookies(&answer.0, None);
        }
        match (channel, self.state) {
            (Channel::Aside(_), _) | (_, State::Idle | State::Closed) => None,
            _ if channel == self.stream && !matches!(self.upgrade, Upgrade::None | Upgrade::Wanted) => {
                let rule = self.broken_by_end(&lost);
                self.resume_polling(wire);
                Some(Event::UpgradeFailed(lost.to_string(), rule))
            }
            _ if !self.depends_on(channel) => None,
            (_, State::Closing) => Some(self.finish(wire, Closed::Asked)),
            _ if self.farewell => Some(self.finish(wire, Closed::ByServer { then: Some(lost) })),
            _ => Some(self.finish(wire, Closed::Lost(channel, lost))),
        }
    }

    /// Whether something is under way on a channel. A server may close an HTTP connection on which nothing is
    /// (RFC 9112, section 9.8).
    fn depends_on(&self, channel: Channel) -> bool {
        match &self.polling {
            None => channel == self.stream,
            Some(polling) => polling.awaits(channel),
        }
    }

    /// Takes the time. Call it when [`Session::poll_timeout`] is reached.
    pub fn handle_timeout(&mut self, wire: &mut dyn Wire, now: Instant) -> Option<Event<'static>> {
        if self.heartbeat.time().is_none_or(|time| now < time) || self.is_closed() {
            return None;
        }
        self.beat(wire, now)
    }

    /// When to call [`Session::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.heartbeat.time()
    }

    /// Ends every channel and reports why.
    fn finish(&mut self, wire: &mut dyn Wire, why: Closed) -> Event<'static> {
        let asked = self.state == State::Closing;
        if self.polling.is_some() {
            wire.hang_up(Channel::Poll, HangUp::Clean);
            wire.hang_up(Channel::Post, HangUp::Clean);
        }
        if self.polling.is_none() || self.is_upgrading() {
            wire.hang_up(self.stream, HangUp::Cut);
        }
        self.end();
        Event::Closed(if asked { Closed::Asked } else { why })
    }

    fn end(&mut self) {
        self.state = State::Closed;
        self.heartbeat = Heartbeat::None;
        self.polled = self.is_polling();
        self.said.posted_many = self.has_posted_many();
        self.post_unanswered = self.awaited_post();
        self.polling = None;
        self.upgrade = Upgrade::None;
        self.outstanding.clear();
        for namespace in &mut self.namespaces {
            namespace.phase = Phase::Out;
        }
    }
}

#[cfg(test)]
mod tests;
