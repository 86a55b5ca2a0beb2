//! One Engine.IO session: its queue, what it is told, its end.
//!
//! Spec: Engine.IO protocol v4, "Protocol", "Handshake". A session is reached by several tasks (polls, POSTs, one
//! WebSocket, the timers), all on the same thread; it never waits, it wakes. What it carries it does not know: it hands
//! messages up through [`Handler`]. Neighbours: `heartbeat`, `polling` and `upgrade` add their part of its methods.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::packet::{EncodedPacket, Packet};
use super::request::{EngineTransport, Version};
use super::waiting::{Candidate, Poll};
use crate::console::{Topic, printable};
use crate::faults::{Fault, requests};
use crate::reason::Reason;
use crate::registry::Registry;
use crate::shared::Shared;
use crate::timers::TimerKey;

/// What all sessions of a server share.
pub(crate) struct Engine {
    pub(crate) shared: Rc<Shared>,
    pub(crate) sessions: Registry<Session>,
    /// The layer above.
    pub(crate) above: Rc<dyn Listener>,
}

/// The layer above, which is told of each new session.
pub(crate) trait Listener {
    /// A session was opened. Its open packet is still to be sent.
    fn open(&self, session: &Rc<Session>) -> Rc<dyn Handler>;
}

/// The layer above, for one session.
pub(crate) trait Handler {
    /// A text message arrived.
    fn text(self: Rc<Self>, text: &str);
    /// A binary message arrived.
    fn binary(self: Rc<Self>, data: Bytes);
    /// The session ends. If it ends politely, what is sent now still goes out.
    fn close(self: Rc<Self>, reason: Reason);
}

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
    /// The version of the protocol that it speaks.
    pub(crate) version: Version,
    /// Whether it wants binary packets as base64; only in the version before.
    pub(crate) base64: bool,
    /// The number of the JavaScript function that its polls call, if it asked for JSONP.
    pub(crate) jsonp: Option<Box<str>>,
}

pub(crate) struct Session {
    pub(crate) engine: Rc<Engine>,
    pub(crate) shared: Rc<Shared>,
    pub(crate) id: Rc<str>,
    pub(crate) handshake: Handshake,
    pub(crate) transport: Cell<EngineTransport>,
    pub(crate) state: Cell<State>,
    /// Gone as soon as the session is.
    handler: RefCell<Option<Rc<dyn Handler>>>,
    pub(crate) queue: RefCell<VecDeque<EncodedPacket>>,
    queued_bytes: Cell<usize>,
    overflowed: Cell<bool>,
    /// Wakes the task of the WebSocket that owns the session.
    websocket: RefCell<Option<Waker>>,
    /// That task is running right now and will look at the queue before it rests.
    busy: Cell<bool>,
    /// That task has been woken and has not run since.
    woken: Cell<bool>,
    pub(crate) poll: RefCell<Poll>,
    pub(super) posting: Cell<bool>,
    pub(super) upgrade: RefCell<Option<Box<Candidate>>>,
    pub(crate) heartbeat: Cell<Option<TimerKey>>,
    pub(super) awaiting_pong: Cell<bool>,
}

impl Session {
    /// Opens a session and starts its clocks. The open packet is the caller's to deliver.
    pub(crate) fn open(engine: &Rc<Engine>, transport: EngineTransport, handshake: Handshake) -> Rc<Session> {
        let session = Rc::new(Session {
            engine: engine.clone(),
            shared: engine.shared.clone(),
            id: engine.shared.ids.new_id(),
            handshake,
            transport: Cell::new(transport),
            state: Cell::new(State::Open),
            handler: RefCell::default(),
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
        });
        engine.sessions.insert(session.id.clone(), session.clone());
        session.schedule_ping();
        session.handler.replace(Some(engine.above.open(&session)));
        session.say(Topic::Came, || {
            let online = engine.sessions.len();
            format!("connected by {} from {} ({online} online)", transport.name(), session.handshake.address)
        });
        session
    }

    /// The open packet. Spec: "Handshake"; an upgrade is offered while there is one ("Upgrade").
    pub(crate) fn open_packet(&self) -> EncodedPacket {
        let config = &self.shared.config;
        let upgrades: &[&str] = match self.transport.get() {
            EngineTransport::Polling => &["websocket"],
            EngineTransport::WebSocket => &[],
        };
        let mut open = json!({
            "sid": &*self.id,
            "upgrades": upgrades,
            "pingInterval": config.ping_interval.as_millis() as u64,
            "pingTimeout": config.ping_timeout.as_millis() as u64,
            "maxPayload": config.max_payload,
        });
        requests::spoil_open_packet(self.shared.faults, self.transport.get(), &mut open);
        EncodedPacket::fixed(&format!("0{open}"))
    }

    /// Whether the server is to be wrong in this way.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.shared.has(fault)
    }

    /// Runs something with this session once, `delay` from now, if it still exists then.
    pub(crate) fn after(
        self: &Rc<Self>,
        delay: Duration,
        then: impl FnOnce(&Rc<Session>) + 'static,
    ) -> TimerKey {
        let session = Rc::downgrade(self);
        self.shared.after(delay, move || {
            if let Some(session) = session.upgrade() {
                then(&session);
            }
        })
    }

    /// Tells the console something about this session.
    pub(crate) fn say(&self, topic: Topic, line: impl FnOnce() -> String) {
        let shared = &self.shared;
        shared.console.say(&shared.timers, topic, || format!("{}  {}", printable(&self.id, 6), line()));
    }

    // --- outgoing ---------------------------------------------------------------------------------------

    /// Queues packets; they stay together.
    pub(crate) fn send(self: &Rc<Self>, packets: &[EncodedPacket]) {
        if self.state.get() == State::Open {
            packets.iter().for_each(|packet| self.push(self.typed(packet.clone())));
            self.wake();
        }
    }

    /// Queues a packet.
    pub(crate) fn send_packet(self: &Rc<Self>, packet: EncodedPacket) {
        self.send(&[packet]);
    }

    fn push(self: &Rc<Self>, packet: EncodedPacket) {
        if self.has(Fault::UnpolledPacketsLost) && !self.is_fetched() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        let bytes = self.queued_bytes.get() + packet.frame().len();
        let limits = &self.shared.config.limits;
        if bytes > limits.queued_bytes || queue.len() >= limits.queued_packets {
            if !self.overflowed.replace(true) {
                // Not now: the caller may be in the middle of a broadcast.
                let session = self.clone();
                self.shared.after(Duration::ZERO, move || session.drop_slow_reader());
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

    /// Whether somebody takes packets right now: a WebSocket, or a pending poll.
    pub(crate) fn is_fetched(&self) -> bool {
        self.transport.get() == EngineTransport::WebSocket || self.poll.borrow().pending
    }

    /// Whether a volatile packet would go out at once.
    pub(crate) fn writable(&self) -> bool {
        !self.has_packets() && self.state.get() == State::Open && self.is_fetched()
    }

    /// Whether anything waits to be written.
    pub(crate) fn has_packets(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    /// The next packet to write; the WebSocket that owns the session takes them one by one.
    pub(crate) fn next_packet(&self) -> Option<EncodedPacket> {
        let packet = self.queue.borrow_mut().pop_front()?;
        self.queued_bytes.set(self.queued_bytes.get() - packet.frame().len());
        Some(packet)
    }

    /// Takes everything that waits.
    pub(crate) fn take_queue(&self) -> VecDeque<EncodedPacket> {
        self.queued_bytes.set(0);
        self.queue.take()
    }

    fn wake(&self) {
        match self.transport.get() {
            EngineTransport::Polling => self.poll.borrow_mut().wake(),
            EngineTransport::WebSocket => self.wake_websocket(),
        }
    }

    pub(crate) fn wake_websocket(&self) {
        if self.busy.get() || self.woken.get() {
            return;
        }
        if let Some(waker) = &*self.websocket.borrow() {
            self.woken.set(true);
            waker.wake_by_ref();
        }
    }

    /// The task that owns the session begins to run.
    pub(super) fn enter(&self, waker: &Waker) {
        self.busy.set(true);
        self.woken.set(false);
        let mut slot = self.websocket.borrow_mut();
        if !slot.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    /// The task that owns the session rests.
    pub(super) fn rest(&self) {
        self.busy.set(false);
    }

    // --- incoming ---------------------------------------------------------------------------------------

    /// Handles a packet from the client. Spec: "Protocol", table of packet types.
    pub(crate) fn handle_packet(self: &Rc<Self>, packet: Packet<'_>) {
        if self.state.get() != State::Open || self.spoil_packet(&packet) {
            return;
        }
        self.note_life();
        match packet {
            Packet::Message(text) => {
                if let Some(handler) = self.handler() {
                    handler.text(text);
                }
            }
            Packet::Binary(data) => {
                if let Some(handler) = self.handler() {
                    handler.binary(data);
                }
            }
            Packet::Pong(_) => self.handle_pong(),
            Packet::Ping(content) if self.is_older() => self.answer_ping(content),
            // Spec: "Heartbeat": pings come from the server.
            Packet::Ping(_) => self.abort(Reason::TransportError),
            Packet::Close => {
                if self.transport.get() == EngineTransport::Polling {
                    self.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
                }
                self.abort(Reason::TransportClose);
            }
            Packet::Open | Packet::Upgrade | Packet::Noop => {}
        }
    }

    /// Handles text that is no packet.
    pub(crate) fn handle_invalid(self: &Rc<Self>) {
        if self.has(Fault::InvalidPacketIgnored) {
            return;
        }
        self.say(Topic::Trouble, || "sent an invalid Engine.IO packet".to_owned());
        self.abort(Reason::ParseError);
    }

    fn handler(&self) -> Option<Rc<dyn Handler>> {
        self.handler.borrow().clone()
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Ends the session politely: what is queued goes out first.
    pub(crate) fn close(self: &Rc<Self>, reason: Reason) {
        if self.state.get() != State::Open {
            return;
        }
        self.tell_end(reason);
        if self.state.get() != State::Open {
            return;
        }
        self.state.set(State::Draining);
        self.stop_heartbeat();
        self.say_left(reason);
        if self.has(Fault::CloseDropsQueue) {
            self.take_queue();
        }
        if self.has(Fault::CloseUntold) && !self.is_fetched() {
            return self.vanish();
        }
        self.wake();
        self.cancel_upgrade(None);
        // A client that fetches nothing more must not keep the session for ever.
        let config = &self.shared.config;
        self.after(config.ping_timeout.max(config.limits.close_timeout), Session::vanish);
    }

    /// Ends the session at once; what is queued is lost.
    pub(crate) fn abort(self: &Rc<Self>, reason: Reason) {
        if self.state.get() == State::Open {
            self.tell_end(reason);
            self.say_left(reason);
        }
        self.vanish();
    }

    /// The last step of every end.
    pub(super) fn vanish(self: &Rc<Self>) {
        if self.state.replace(State::Closed) == State::Closed {
            return;
        }
        self.stop_heartbeat();
        if !self.outlives_its_end() {
            self.engine.sessions.remove(&self.id);
        }
        self.take_queue();
        self.poll.borrow_mut().wake();
        self.wake_websocket();
        self.cancel_upgrade(None);
        self.handler.take();
    }

    fn tell_end(&self, reason: Reason) {
        if let Some(handler) = self.handler() {
            handler.close(reason);
        }
    }

    fn say_left(&self, reason: Reason) {
        self.say(Topic::Left, || {
            let online = self.engine.sessions.len().saturating_sub(1);
            format!("left: {reason} ({online} online)")
        });
    }
}
