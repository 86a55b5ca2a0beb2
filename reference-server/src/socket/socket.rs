//! One client in one namespace.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace"; Socket.IO documentation, "The Socket instance".

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::ack::Waiting;
use super::args::{Arg, Args};
use super::client;
use super::message::Message;
use super::namespace::Namespace;
use super::reason::Reason;
use super::recovery::Recovered;
use super::rooms::{Key, Selection};
use super::wear;
use crate::console::printable;
use crate::engine::session::Session;
use crate::faults::Fault;
use crate::fixture;

pub(crate) struct Socket {
    pub(crate) id: Rc<str>,
    pub(crate) key: Key,
    pub(crate) namespace: Rc<Namespace>,
    pub(crate) session: Rc<Session>,
    /// The auth payload, a JSON object.
    pub(crate) auth: Box<str>,
    pub(crate) recovered: bool,
    pid: Option<Rc<str>>,
    connected: Cell<bool>,
    pub(crate) bursts: Cell<usize>,
    pub(super) waiting: RefCell<BTreeMap<u64, Waiting>>,
    /// For the fault that keeps one id for all events.
    pub(super) latest_id: RefCell<Box<str>>,
}

impl Socket {
    /// Lets a client into a namespace: room of its own, then missed packets. It is still to be welcomed.
    pub(crate) fn admit(
        session: &Rc<Session>,
        namespace: &Rc<Namespace>,
        auth: &str,
        recovered: Option<Recovered>,
    ) -> Rc<Socket> {
        let server = &session.server;
        let first = session.sockets.borrow().first().map(|socket| socket.id.clone());
        let id = match (&recovered, first) {
            (Some(_), _) if server.faults.has(Fault::RecoveryGivesNewId) => server.new_id(),
            (Some(recovered), _) => recovered.lost.sid.clone(),
            (None, Some(first)) if server.faults.has(Fault::SidSharedAcrossNamespaces) => first,
            (None, _) if server.faults.has(Fault::SidIsEngineSid) => session.id.clone(),
            (None, _) => server.new_id(),
        };
        let known_pid =
            || serde_json::from_str::<serde_json::Value>(auth).ok()?["pid"].as_str().map(Rc::from);
        let pid = match (&namespace.recovery, &recovered) {
            (None, _) => server.faults.has(Fault::PidWithoutRecovery).then(|| server.new_id()),
            (Some(_), Some(_)) => known_pid(),
            (Some(_), None) => Some(server.new_id()),
        };
        let socket = Rc::new(Socket {
            id,
            key: server.new_key(),
            namespace: namespace.clone(),
            session: session.clone(),
            auth: auth.into(),
            recovered: recovered.is_some(),
            pid,
            connected: Cell::new(true),
            bursts: Cell::new(0),
            waiting: RefCell::default(),
            latest_id: RefCell::default(),
        });
        let mut rooms = namespace.rooms.borrow_mut();
        rooms.add(socket.key, socket.clone());
        if !server.faults.has(Fault::OwnRoomMissing) {
            rooms.join(socket.key, &socket.id);
        }
        session.sockets.borrow_mut().push(socket.clone());
        if !server.faults.has(Fault::ConnectTimeoutNotStopped) {
            session.stop_connect_timer();
        }
        if server.faults.has(Fault::RecoveryReplaysLate) {
            socket.welcome();
        }
        if let Some(recovered) = recovered {
            for room in &recovered.lost.rooms {
                rooms.join(socket.key, room);
            }
            for message in &recovered.missed {
                session.send(message);
            }
        }
        drop(rooms);
        if server.faults.has(Fault::LivingRecovered) {
            namespace.keep(socket.pid.as_ref(), &socket.id, socket.rooms());
        }
        socket
    }

    /// Answers the CONNECT.
    pub(super) fn welcome(&self) {
        let faults = self.session.server.faults;
        let named = if faults.has(Fault::ConnectReplyToMain) { "/" } else { &self.namespace.name };
        let told = if faults.has(Fault::ConnectReplyWithoutSid) { "" } else { &self.id };
        self.send(&Message::connect(named, told, self.pid.as_deref()));
    }

    /// Whether the socket has not ended.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.get()
    }

    /// The namespace, fit to be printed.
    pub(crate) fn label(&self) -> String {
        printable(&self.namespace.name, 24)
    }

    // --- outgoing ---------------------------------------------------------------------------------------

    /// Sends an event to this socket alone.
    pub(crate) fn emit(self: &Rc<Self>, args: Args) {
        let server = &self.session.server;
        if server.faults.has(Fault::EventsNameNoNamespace) {
            return self.deliver(&Message::event("/", None, &args), false);
        }
        if server.faults.has(Fault::OwnRoomNeeded) && !self.rooms().contains(&self.id) {
            return;
        }
        let message = if self.namespace.recovery.is_some() {
            let own = Selection { to: vec![self.id.clone()], ..Selection::default() };
            self.namespace.encode_recorded(server, &own, None, args)
        } else {
            self.namespace.encode(server, None, args)
        };
        if server.faults.has(Fault::EmitLeaks) {
            let others = Selection { except_key: Some(self.key), ..Selection::default() };
            self.namespace.sockets(&others).iter().for_each(|other| other.deliver(&message, false));
        }
        self.deliver(&message, false);
    }

    /// Sends an encoded event, unless the socket has ended or a volatile one would have to wait.
    pub(crate) fn deliver(self: &Rc<Self>, message: &Message, volatile: bool) {
        let server = &self.session.server;
        if !self.connected.get() || (volatile && !self.is_ready()) {
            return;
        }
        if volatile && server.faults.has(Fault::VolatileWithoutAttachments) {
            return message.packets().iter().take(1).for_each(|head| self.session.send_packet(head.clone()));
        }
        if !server.faults.is_empty() && server.spoil_delivery(&self.session, message) {
            return;
        }
        self.session.send(message);
    }

    /// Whether a volatile event would go out at once.
    fn is_ready(&self) -> bool {
        let faults = &self.session.server.faults;
        let ready = self.session.writable() || faults.has(Fault::VolatileBuffered);
        ready && !faults.has(Fault::VolatileNever)
    }

    /// Sends a packet that is not an event.
    pub(super) fn send(&self, message: &Message) {
        if self.connected.get() {
            self.session.send(message);
        }
    }

    // --- rooms ------------------------------------------------------------------------------------------

    /// Enters rooms; beyond the limits it does not.
    pub(crate) fn join(self: &Rc<Self>, names: &[String]) {
        let server = &self.session.server;
        let (late, lags) = (server.faults.has(Fault::JoinLate), server.faults.has(Fault::JoinLags));
        if late || lags {
            let (socket, names) = (self.clone(), names.to_vec());
            let delay = if late { Duration::from_millis(100) } else { wear::LAG };
            server.timers.after(delay, move || socket.join_now(&names));
        } else {
            self.join_now(names);
        }
    }

    fn join_now(&self, names: &[String]) {
        let limits = &self.session.server.config.limits;
        let mut rooms = self.namespace.rooms.borrow_mut();
        let faults = &self.session.server.faults;
        let several = if faults.has(Fault::JoinFirstOnly) { 1 } else { names.len() };
        for name in &names[..several.min(names.len())] {
            if faults.has(Fault::JoinToggles) && rooms.rooms_of(self.key).iter().any(|room| **room == **name)
            {
                rooms.leave(self.key, name);
                continue;
            }
            if rooms.rooms_of(self.key).len() <= limits.rooms && name.len() <= limits.room_name {
                let folded = faults.has(Fault::RoomNamesFoldCase).then(|| name.to_lowercase());
                rooms.join(self.key, folded.as_ref().unwrap_or(name));
            }
        }
    }

    /// Leaves a room.
    pub(crate) fn leave_room(self: &Rc<Self>, name: &str) {
        let faults = &self.session.server.faults;
        if faults.has(Fault::LeaveLags) {
            let (socket, name) = (self.clone(), name.to_owned());
            let leave = move || socket.namespace.rooms.borrow_mut().leave(socket.key, &name);
            self.session.server.timers.after(wear::LAG, leave);
            return;
        }
        if faults.has(Fault::LeaveEmptiesRoom) {
            self.namespace.empty(&[Rc::from(name)]);
        } else if !faults.has(Fault::LeaveIgnored) {
            self.namespace.rooms.borrow_mut().leave(self.key, name);
        }
    }

    /// The rooms it is in, its own id first.
    pub(crate) fn rooms(&self) -> Vec<Rc<str>> {
        self.namespace.rooms.borrow().rooms_of(self.key).to_vec()
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Puts the socket out; with `close`, the whole connection.
    pub(crate) fn disconnect(self: &Rc<Self>, close: bool, reason: Reason) {
        if !self.connected.get() {
            return;
        }
        if close {
            return client::disconnect(&self.session, reason);
        }
        if self.session.server.faults.has(Fault::ByeClosesConnection) {
            return self.session.close(reason);
        }
        self.send(&Message::disconnect(&self.namespace.name));
        self.leave(reason);
    }

    /// The socket ends: the application is told, then it is in no room any more.
    pub(crate) fn leave(self: &Rc<Self>, reason: Reason) {
        if !self.connected.replace(false) {
            return;
        }
        let server = &self.session.server;
        if server.faults.has(Fault::RoomsLostEarly) {
            self.namespace.rooms.borrow_mut().remove(self.key);
        }
        let rooms = self.rooms();
        if !(self.key.is_multiple_of(50) && server.faults.has(Fault::DisconnectUntold)) {
            fixture::on_disconnecting(self, reason, &rooms);
        }
        if server.faults.has(Fault::DisconnectToldTwice) {
            fixture::on_disconnecting(self, reason, &rooms);
        }
        if server.faults.has(Fault::RoomsEndWithMember) {
            self.namespace.empty(&rooms);
        }
        if reason.is_recoverable() || server.faults.has(Fault::LeaversRecovered) {
            self.namespace.keep(self.pid.as_ref(), &self.id, rooms);
        }
        if !server.faults.has(Fault::GhostMembers) {
            self.namespace.rooms.borrow_mut().remove(self.key);
        }
        if !(server.faults.has(Fault::LeaveHalfDone) && reason == Reason::ClientNamespaceDisconnect) {
            self.session.sockets.borrow_mut().retain(|socket| socket.key != self.key);
        }
        let unanswered = self.waiting.take();
        if server.faults.has(Fault::LeaverForgiven) {
            unanswered.into_values().for_each(|waiting| waiting(Vec::new()));
        }
        self.namespace.retire(server);
    }

    // --- acknowledgements -------------------------------------------------------------------------------

    /// For the faults that mix up ids: who on this connection was the first to use one, if it was used before.
    pub(super) fn earlier_user(self: &Rc<Self>, id: &str) -> Option<Rc<Socket>> {
        let mut users = self.session.server.ack_ids.borrow_mut();
        let key = (self.session.id.clone(), Box::from(id));
        let earlier = users.get(&key).cloned();
        users.entry(key).or_insert_with(|| self.clone());
        earlier
    }

    /// The client answered an event.
    pub(crate) fn receive_ack(self: &Rc<Self>, id: Option<&str>, args: Vec<Arg<'_>>) {
        let Some(id) = id.and_then(|id| id.parse::<u64>().ok()) else { return };
        let faults = &self.session.server.faults;
        if faults.has(Fault::AnswersIgnored) {
            return;
        }
        let mut waiting = self.waiting.borrow_mut().remove(&id);
        let from_any =
            |others: Vec<Rc<Socket>>| others.iter().find_map(|other| other.waiting.borrow_mut().remove(&id));
        if waiting.is_none() && faults.has(Fault::AckFromAnySocket) {
            waiting = from_any(self.namespace.sockets(&Selection::default()));
        }
        if waiting.is_none() && faults.has(Fault::AckFromAnyNamespace) {
            waiting = from_any(self.session.sockets.borrow().clone());
        }
        if waiting.is_none() && faults.has(Fault::AnswersMatchedByOrder) {
            waiting = self.waiting.borrow_mut().pop_first().map(|(_, waiting)| waiting);
        }
        match waiting {
            Some(waiting) => waiting(args.into_iter().map(Arg::into_owned).collect()),
            None if faults.has(Fault::UnknownAckFatal) => self.session.close(Reason::ForcedClose),
            None => {}
        }
    }
}
