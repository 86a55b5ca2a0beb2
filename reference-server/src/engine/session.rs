//! One Engine.IO session: its queue, its heartbeat, its end.
//!
//! Spec: Engine.IO protocol v4, "Protocol", "Heartbeat". A session is reached by several tasks (polls, POSTs, one
//! WebSocket, the timers), all on the same thread; it never waits, it wakes. Neighbours: `polling` and `upgrade`
//! add their part of its methods, `socket::client` handles the messages.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;

use super::packet::{EncodedPacket, Packet};
use super::payload;
use super::polling::Poll;
use super::request::Transport;
use super::upgrade::Upgrade;
use crate::console::{Topic, printable};
use crate::faults::Fault;
use crate::server::Server;
use crate::socket::client;
use crate::socket::decoder::Decoder;
use crate::socket::message::Message;
use crate::socket::reason::Reason;
use crate::socket::socket::Socket;
use crate::socket::spoil;
use crate::timers::TimerKey;

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Packets flow both ways.
    Open,
    /// The server said goodbye: what is queued still goes out, nothing comes in.
    Draining,
    /// Gone.
    Closed,
}

/// What the first request of a session told about the client.
pub(crate) struct Handshake {
    /// Query parameters, as a JSON object.
    pub(crate) query: Box<str>,
    /// Request headers, as a JSON object.
    pub(crate) headers: Box<str>,
    /// Where the client connects from.
    pub(crate) address: SocketAddr,
}

pub(crate) struct Session {
    pub(crate) server: Rc<Server>,
    pub(crate) id: Rc<str>,
    pub(crate) handshake: Handshake,
    pub(crate) transport: Cell<Transport>,
    pub(crate) state: Cell<State>,
    pub(super) queue: RefCell<VecDeque<EncodedPacket>>,
    pub(super) queued_bytes: Cell<usize>,
    overflowed: Cell<bool>,
    /// Wakes the task of the WebSocket that owns the session.
    websocket: RefCell<Option<Waker>>,
    /// That task is running right now and will look at the queue before it rests.
    busy: Cell<bool>,
    /// That task has been woken and has not run since.
    woken: Cell<bool>,
    pub(super) poll: RefCell<Poll>,
    pub(super) posting: Cell<bool>,
    pub(super) upgrade: RefCell<Option<Box<Upgrade>>>,
    pub(super) heartbeat: Cell<Option<TimerKey>>,
    pub(super) awaiting_pong: Cell<bool>,
    connect_timer: Cell<Option<TimerKey>>,
    pub(crate) decoder: RefCell<Decoder>,
    pub(crate) sockets: RefCell<Vec<Rc<Socket>>>,
}

impl Session {
    /// Opens a session and starts its clocks. The open packet is the caller's to deliver.
    pub(crate) fn open(server: &Rc<Server>, transport: Transport, handshake: Handshake) -> Rc<Session> {
        let session = Rc::new(Session {
            server: server.clone(),
            id: server.new_id(),
            handshake,
            transport: Cell::new(transport),
            state: Cell::new(State::Open),
            queue: RefCell::default(),
            queued_bytes: Cell::new(0),
            overflowed: Cell::new(false),
            websocket: RefCell::default(),
            busy: Cell::new(false),
            woken: Cell::new(false),
            poll: RefCell::default(),
            posting: Cell::new(false),
            upgrade: RefCell::default(),
            heartbeat: Cell::new(None),
            awaiting_pong: Cell::new(false),
            connect_timer: Cell::new(None),
            decoder: RefCell::default(),
            sockets: RefCell::default(),
        });
        server.sessions.borrow_mut().insert(session.id.clone(), session.clone());
        session.schedule_ping();
        session.start_connect_timer();
        if server.faults.has(Fault::ConnectsUnasked) {
            let session = session.clone();
            // After the open packet, which the caller has still to send.
            server.timers.after(std::time::Duration::ZERO, move || client::receive_text(&session, "0"));
        }
        session.say(Topic::Came, || {
            let online = server.sessions.borrow().len();
            format!("connected by {} from {} ({online} online)", transport.name(), session.handshake.address)
        });
        session
    }

    /// The content of the open packet.
    pub(crate) fn open_packet(&self) -> EncodedPacket {
        let config = &self.server.config;
        let faults = self.server.faults;
        let unit = if faults.has(Fault::SecondsForMilliseconds) { 1000 } else { 1 };
        let quote = if faults.has(Fault::OpenNumbersAsText) { "\"" } else { "" };
        let number = |number: u128| format!("{quote}{number}{quote}");
        let upgrades = match self.transport.get() {
            Transport::Polling if !faults.has(Fault::UpgradeNotOffered) => "\"websocket\"",
            Transport::WebSocket if faults.has(Fault::WebSocketOffersUpgrade) => "\"websocket\"",
            _ => "",
        };
        let max_payload = match faults.has(Fault::OpenWithoutMaxPayload) {
            true => String::new(),
            false => format!(",\"maxPayload\":{}", number(config.max_payload as u128)),
        };
        let text = format!(
            "0{{\"sid\":\"{}\",\"upgrades\":[{upgrades}],\"pingInterval\":{},\"pingTimeout\":{}{max_payload}}}",
            self.id,
            number(config.ping_interval.as_millis() / unit),
            number(config.ping_timeout.as_millis() / unit),
        );
        EncodedPacket::fixed(&text)
    }

    /// Tells the console something about this session.
    pub(crate) fn say(&self, topic: Topic, line: impl FnOnce() -> String) {
        let server = &self.server;
        server.console.say(&server.timers, topic, || format!("{}  {}", printable(&self.id, 6), line()));
    }

    // --- outgoing ---------------------------------------------------------------------------------------

    /// Sends a Socket.IO packet; its parts stay together.
    pub(crate) fn send(self: &Rc<Self>, message: &Message) {
        match &self.server.late {
            Some(late) => late.hold(self, message),
            None => self.send_now(message),
        }
    }

    /// Queues a Socket.IO packet that no fault holds back any more.
    pub(crate) fn send_now(self: &Rc<Self>, message: &Message) {
        if self.state.get() != State::Open {
            return;
        }
        if matches!(message, Message::Binary(_)) && self.server.faults.has(Fault::BinaryOvertaken) {
            let (session, message) = (self.clone(), message.clone());
            self.server.timers.after(std::time::Duration::from_millis(5), move || session.enqueue(&message));
            return;
        }
        self.enqueue(message);
    }

    /// Queues a Socket.IO packet before everything that waits: only for the fault that does so.
    pub(crate) fn send_first(self: &Rc<Self>, message: &Message) {
        if self.state.get() != State::Open {
            return;
        }
        let waiting = std::mem::take(&mut *self.queue.borrow_mut());
        self.enqueue(message);
        self.queue.borrow_mut().extend(waiting);
    }

    fn enqueue(self: &Rc<Self>, message: &Message) {
        let spoilt = spoil::outgoing(&self.server.faults, message);
        let message = spoilt.as_ref().unwrap_or(message);
        if let Message::Binary(packets) = message
            && self.server.faults.has(Fault::AttachmentsLate)
        {
            return self.send_in_parts(packets.clone());
        }
        for packet in message.packets() {
            self.push(packet.clone());
        }
        self.wake();
    }

    /// The fault that lets other packets in between a header and its attachments.
    fn send_in_parts(self: &Rc<Self>, packets: Rc<[EncodedPacket]>) {
        self.send_packet(packets[0].clone());
        let session = self.clone();
        self.server.timers.after(std::time::Duration::from_millis(2), move || {
            packets[1..].iter().for_each(|packet| session.send_packet(packet.clone()));
        });
    }

    /// Queues an Engine.IO packet.
    pub(crate) fn send_packet(self: &Rc<Self>, packet: EncodedPacket) {
        if self.state.get() == State::Open {
            self.push(packet);
            self.wake();
        }
    }

    fn push(self: &Rc<Self>, packet: EncodedPacket) {
        if self.server.faults.has(Fault::UnpolledPacketsLost)
            && self.transport.get() == Transport::Polling
            && !self.poll.borrow().is_pending()
        {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        let bytes = self.queued_bytes.get() + packet.frame().len();
        let limits = &self.server.config.limits;
        if bytes > limits.queued_bytes || queue.len() >= limits.queued_packets {
            if !self.overflowed.replace(true) {
                let session = self.clone();
                // Not now: the caller may be in the middle of a broadcast.
                self.server.timers.after(std::time::Duration::ZERO, move || session.drop_slow_reader());
            }
            return;
        }
        self.queued_bytes.set(bytes);
        queue.push_back(packet);
    }

    fn drop_slow_reader(self: &Rc<Self>) {
        self.say(Topic::Trouble, || {
            let packets = self.queue.borrow().len();
            format!("too slow: {packets} packets, {} bytes waiting; dropped", self.queued_bytes.get())
        });
        self.abort(Reason::TransportError);
    }

    /// Whether a volatile packet would go out at once.
    pub(crate) fn writable(&self) -> bool {
        let idle = self.queue.borrow().is_empty() && self.state.get() == State::Open;
        idle && (self.transport.get() == Transport::WebSocket || self.poll.borrow().is_pending())
    }

    /// Whether anything waits to be written.
    pub(crate) fn has_packets(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    /// The next packet to write; the WebSocket that owns the session takes them one by one.
    pub(crate) fn next_packet(&self) -> Option<EncodedPacket> {
        if self.has_packets() && self.server.faults.has(Fault::WebSocketJoinsPackets) {
            let packets = self.take_queue();
            let joined = payload::encode(&packets, self.server.faults);
            return Some(EncodedPacket::text(joined.len(), |out| out.extend(joined)));
        }
        let packet = self.queue.borrow_mut().pop_front()?;
        self.queued_bytes.set(self.queued_bytes.get() - packet.frame().len());
        if packet.body().len() > 1024 && self.server.faults.has(Fault::CompressedUnagreed) {
            return Some(packet.marked_compressed());
        }
        Some(packet)
    }

    /// Takes everything that waits.
    pub(super) fn take_queue(&self) -> VecDeque<EncodedPacket> {
        self.queued_bytes.set(0);
        std::mem::take(&mut *self.queue.borrow_mut())
    }

    fn wake(&self) {
        match self.transport.get() {
            Transport::Polling => self.poll.borrow_mut().wake(),
            Transport::WebSocket => self.wake_websocket(),
        }
    }

    pub(super) fn wake_websocket(&self) {
        if self.busy.get() || self.woken.get() {
            return;
        }
        if let Some(waker) = &*self.websocket.borrow() {
            self.woken.set(true);
            waker.wake_by_ref();
        }
    }

    /// The task that owns the session begins to run.
    pub(crate) fn enter(&self, waker: &Waker) {
        self.busy.set(true);
        self.woken.set(false);
        let mut slot = self.websocket.borrow_mut();
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// The task that owns the session rests.
    pub(crate) fn rest(&self) {
        self.busy.set(false);
    }

    // --- incoming ---------------------------------------------------------------------------------------

    /// Handles a packet from the client.
    pub(crate) fn receive(self: &Rc<Self>, packet: Packet<'_>) {
        if self.state.get() != State::Open {
            return;
        }
        let faults = self.server.faults;
        if faults.has(Fault::AnyPacketIsPong) {
            self.receive_pong();
        }
        match packet {
            Packet::Message(text) => client::receive_text(self, text),
            Packet::Binary(data) => client::receive_binary(self, data),
            Packet::Pong(content) if !content.is_empty() && faults.has(Fault::PongContentRefused) => {
                self.abort(Reason::TransportError);
            }
            Packet::Pong(_) => self.receive_pong(),
            Packet::Ping(_) if faults.has(Fault::ClientPingAnswered) => {
                self.send_packet(EncodedPacket::fixed("3"));
            }
            Packet::Ping(_) => self.abort(Reason::TransportError), // heartbeats have one direction
            Packet::Close => self.receive_close(),
            Packet::Open | Packet::Upgrade | Packet::Noop if faults.has(Fault::StrayPacketCloses) => {
                self.abort(Reason::TransportError);
            }
            Packet::Open | Packet::Upgrade | Packet::Noop => {}
        }
    }

    /// Handles text that is no packet.
    pub(crate) fn receive_invalid(self: &Rc<Self>) {
        if self.server.faults.has(Fault::InvalidPacketIgnored) {
            return;
        }
        self.say(Topic::Trouble, || "sent an invalid Engine.IO packet".to_owned());
        self.abort(Reason::ParseError);
    }

    fn receive_close(self: &Rc<Self>) {
        if self.transport.get() == Transport::Polling {
            if self.server.faults.has(Fault::PollingCloseIgnored) {
                return;
            }
            self.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
        } else if self.server.faults.has(Fault::WebSocketCloseIgnored) {
            return;
        }
        self.abort(Reason::TransportClose);
    }

    fn start_connect_timer(self: &Rc<Self>) {
        if self.server.faults.has(Fault::ConnectTimeoutIgnored) {
            return;
        }
        let session = Rc::downgrade(self);
        let key = self.server.timers.after(self.server.config.connect_timeout, move || {
            if let Some(session) = session.upgrade() {
                session.say(Topic::Trouble, || "joined no namespace in time".to_owned());
                session.close(Reason::ForcedClose);
            }
        });
        self.connect_timer.set(Some(key));
    }

    /// A namespace was joined: the connection is of use.
    pub(crate) fn stop_connect_timer(&self) {
        if let Some(key) = self.connect_timer.take() {
            self.server.timers.cancel(key);
        }
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Ends the session politely: what is queued goes out first.
    pub(crate) fn close(self: &Rc<Self>, reason: Reason) {
        if self.state.get() != State::Open {
            return;
        }
        client::end(self, reason);
        if self.state.get() != State::Open {
            return;
        }
        if let Some(late) = &self.server.late {
            late.release(self);
        }
        self.state.set(State::Draining);
        self.stop_clocks();
        self.say_left(reason);
        if self.server.faults.has(Fault::CloseDropsQueue) {
            self.take_queue();
        }
        let polls = self.transport.get() == Transport::Polling;
        if polls && !self.poll.borrow().is_pending() && self.server.faults.has(Fault::CloseUntold) {
            return self.vanish();
        }
        self.wake();
        self.cancel_upgrade(None);
        // A client that fetches nothing more must not keep the session for ever.
        let patience = self.server.config.ping_timeout.max(self.server.config.limits.close_timeout);
        let session = Rc::downgrade(self);
        self.server.timers.after(patience, move || {
            if let Some(session) = session.upgrade() {
                session.vanish();
            }
        });
    }

    /// Ends the session at once; what is queued is lost.
    pub(crate) fn abort(self: &Rc<Self>, reason: Reason) {
        if self.state.get() == State::Open {
            client::end(self, reason);
            self.say_left(reason);
        }
        self.vanish();
    }

    /// The last step of every end.
    pub(crate) fn vanish(self: &Rc<Self>) {
        if self.state.replace(State::Closed) == State::Closed {
            return;
        }
        self.stop_clocks();
        if self.transport.get() == Transport::Polling || !self.server.faults.has(Fault::ClosedSessionKept) {
            let abandoned = self.transport.get() == Transport::Polling && !self.poll.borrow().is_pending();
            if !(abandoned && self.server.faults.has(Fault::AbandonedSessionsLeak)) {
                self.server.sessions.borrow_mut().remove(&self.id);
            }
        }
        self.take_queue();
        self.poll.borrow_mut().wake();
        self.wake_websocket();
        self.cancel_upgrade(None);
        self.server.session_ended();
    }

    fn stop_clocks(&self) {
        self.stop_heartbeat();
        self.stop_connect_timer();
    }

    fn say_left(&self, reason: Reason) {
        self.say(Topic::Left, || {
            let online = self.server.sessions.borrow().len().saturating_sub(1);
            format!("left: {reason} ({online} online)")
        });
    }
}
