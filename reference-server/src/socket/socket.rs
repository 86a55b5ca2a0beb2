//! One client in one namespace, and the application it speaks to.
//!
//! Spec: Socket.IO protocol v5, "Connection to a namespace", "Disconnection from a namespace"; Socket.IO documentation,
//! "The Socket instance", "Broadcasting events".

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use super::args::{Arg, Args};
use super::connection::Connection;
use super::decoder::Packet;
use super::elsewhere::Elsewhere;
use super::message::Message;
use super::namespace::{Definition, Name, Namespace};
use super::recovery::{Lost, Recovered};
use super::rooms::{Key, Selection};
use super::told::{Scope, Told};
use crate::console::printable;
use crate::faults::Fault;
use crate::reason::Reason;
use crate::registry::Registry;
use crate::shared::Shared;

/// A namespace whose members are sockets.
pub(crate) type Space = Namespace<Rc<Socket>>;

/// What to do with a client's answer.
pub(crate) type Waiting = Box<dyn FnOnce(Vec<Arg<'static>>)>;

/// The layer above: what happens to sockets is told to it.
pub(crate) trait Application {
    /// A socket was admitted to a namespace.
    fn handle_connection(&self, socket: &Rc<Socket>);
    /// An event arrived.
    fn handle_event(&self, socket: &Rc<Socket>, packet: Packet<'_>);
    /// A socket ends; it is still in its `rooms`.
    fn handle_disconnecting(&self, socket: &Rc<Socket>, reason: Reason, rooms: &[Rc<str>]);
}

/// Whom a broadcast is for, and how.
#[derive(Debug, Default)]
pub(crate) struct Broadcast {
    pub(crate) selection: Selection,
    /// The id of the socket that is left out.
    pub(crate) sender: Option<Rc<str>>,
    pub(crate) volatile: bool,
    /// Only to the sockets of this node.
    pub(crate) local: bool,
}

/// What all sockets of a server share.
pub(crate) struct Io {
    pub(crate) shared: Rc<Shared>,
    pub(crate) app: Rc<dyn Application>,
    /// Every namespace that there may be.
    pub(crate) table: &'static [Definition],
    pub(crate) namespaces: Registry<Space>,
    pub(crate) elsewhere: Elsewhere,
}

impl Io {
    pub(crate) fn new(
        shared: &Rc<Shared>,
        app: Rc<dyn Application>,
        table: &'static [Definition],
        elsewhere: Elsewhere,
    ) -> Rc<Io> {
        Rc::new(Io { shared: shared.clone(), app, table, namespaces: Registry::default(), elsewhere })
    }

    /// The namespace of that name, made on first use if the table knows it.
    pub(crate) fn namespace(&self, name: &str) -> Option<Rc<Space>> {
        if let Some(known) = self.namespaces.get(name).filter(|known| !self.is_made_twice(known)) {
            return Some(known);
        }
        let covers = |definition: &&Definition| definition.name.covers(name) || self.is_loosely_covered(name);
        let definition = self.table.iter().find(covers)?;
        let guard = self.wrong_guard(name).or(definition.guard);
        let namespace = Namespace::new(&self.shared, name, guard);
        self.namespaces.insert(namespace.name.clone(), namespace.clone());
        Some(namespace)
    }

    /// The namespace that another node speaks of. Those of a pattern are not made for it: nobody would be in them.
    pub(crate) fn heard_namespace(&self, name: &str) -> Option<Rc<Space>> {
        let is_fixed =
            |definition: &Definition| matches!(definition.name, Name::Exactly(fixed) if fixed == name);
        let known = self.namespaces.get(name);
        known.or_else(|| self.table.iter().any(is_fixed).then(|| self.namespace(name))?)
    }

    /// Forgets a namespace of a pattern that nobody is in, so that strangers cannot fill the memory with them.
    fn retire(&self, namespace: &Space) {
        let is_fixed = |definition: &Definition| matches!(definition.name, Name::Exactly(name) if *name == *namespace.name);
        if !self.table.iter().any(is_fixed) && namespace.is_empty() {
            self.namespaces.remove(&namespace.name);
        }
    }

    /// Sends an event to all selected sockets: encoded once, however many they are.
    pub(crate) fn broadcast(&self, namespace: &Space, to: Broadcast, args: Args) {
        if !to.local || self.shared.has(Fault::LocalLeaksAcrossNodes) {
            self.cast_elsewhere(namespace, &to.selection, to.sender.as_ref(), to.volatile, &args);
        }
        if !self.shared.faults.is_empty() {
            return self.broadcast_spoilt(namespace, to, args);
        }
        let message = if to.volatile {
            namespace.encode(None, args)
        } else {
            namespace.encode_recorded(&to.selection, to.sender.as_ref(), args)
        };
        namespace.rooms.borrow().select(&to.selection, |socket| socket.deliver(&message, to.volatile));
    }

    /// Sends the next event of this namespace to the selected sockets of the other nodes.
    fn cast_elsewhere(
        &self,
        namespace: &Space,
        selection: &Selection,
        sender: Option<&Rc<str>>,
        volatile: bool,
        args: &Args,
    ) {
        self.elsewhere.tell(args, || Told::Cast {
            namespace: namespace.name.to_string(),
            scope: Scope::of(selection),
            sender: sender.map(|id| id.to_string()),
            volatile,
            mark: namespace.mark().filter(|_| !volatile),
        });
    }

    /// Puts everybody out.
    pub(crate) fn disconnect_all(&self, reason: Reason) {
        for namespace in self.namespaces.all() {
            for socket in namespace.members(&Selection::default()) {
                socket.disconnect(true, reason);
            }
        }
    }
}

pub(crate) struct Socket {
    pub(crate) id: Rc<str>,
    pub(crate) key: Key,
    pub(crate) io: Rc<Io>,
    pub(crate) shared: Rc<Shared>,
    pub(crate) namespace: Rc<Space>,
    pub(crate) connection: Rc<Connection<Socket>>,
    /// The auth payload, a JSON object.
    pub(crate) auth: Box<str>,
    pub(crate) recovered: bool,
    pid: Option<Rc<str>>,
    connected: Cell<bool>,
    pub(crate) waiting: RefCell<BTreeMap<u64, Waiting>>,
    /// For the fault that keeps one id for all events.
    pub(crate) latest_id: RefCell<Box<str>>,
}

impl Socket {
    /// Lets a client into a namespace and into a room of its own. It is still to be welcomed.
    pub(crate) fn admit(
        io: &Rc<Io>,
        connection: &Rc<Connection<Socket>>,
        namespace: &Rc<Space>,
        auth: &str,
        recovered: Option<&Recovered>,
    ) -> Rc<Socket> {
        let shared = &io.shared;
        let id = connection
            .spoil_id(recovered.is_some())
            .or_else(|| recovered.map(|recovered| recovered.lost.sid.clone()))
            .or_else(|| connection.older_id(&namespace.name))
            .unwrap_or_else(|| shared.ids.new_id());
        let known_pid =
            || serde_json::from_str::<serde_json::Value>(auth).ok()?["pid"].as_str().map(Rc::from);
        let pid = match (&namespace.recovery, recovered) {
            (None, _) => shared.has(Fault::PidWithoutRecovery).then(|| shared.ids.new_id()),
            (Some(_), Some(_)) => known_pid(),
            (Some(_), None) => Some(shared.ids.new_id()),
        };
        let socket = Rc::new(Socket {
            id,
            key: shared.ids.new_key(),
            io: io.clone(),
            shared: shared.clone(),
            namespace: namespace.clone(),
            connection: connection.clone(),
            auth: auth.into(),
            recovered: recovered.is_some(),
            pid,
            connected: Cell::new(true),
            waiting: RefCell::default(),
            latest_id: RefCell::default(),
        });
        let mut rooms = namespace.rooms.borrow_mut();
        rooms.add(socket.key, socket.clone());
        if !shared.has(Fault::OwnRoomMissing) {
            rooms.join(socket.key, &socket.id);
        }
        drop(rooms);
        connection.sockets.borrow_mut().push(socket.clone());
        if !shared.has(Fault::ConnectTimeoutNotStopped) {
            connection.stop_connect_timer();
        }
        socket
    }

    /// Goes back to its rooms and gets what it missed.
    pub(crate) fn take_back(&self, recovered: &Recovered) {
        let mut rooms = self.namespace.rooms.borrow_mut();
        recovered.lost.rooms.iter().for_each(|room| rooms.join(self.key, room));
        recovered.missed.iter().for_each(|message| self.connection.send(message));
    }

    /// Answers the CONNECT.
    pub(crate) fn welcome(&self) {
        let named = if self.has(Fault::ConnectReplyToMain) { "/" } else { &self.namespace.name };
        if self.connection.session.is_older() && !self.has(Fault::OlderConnectRepliesObject) {
            return self.send(&Message::connect_plainly(named));
        }
        if self.has(Fault::ConnectReplyBare) {
            return self.send(&Message::connect_plainly(named));
        }
        let told = if self.has(Fault::ConnectReplyWithoutSid) { "" } else { &self.id };
        self.send(&Message::connect(named, told, self.pid.as_deref()));
    }

    /// Whether the socket has not ended.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected.get()
    }

    /// Whether the server is to be wrong in this way.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.shared.has(fault)
    }

    /// The namespace, fit to be printed.
    pub(crate) fn label(&self) -> String {
        printable(&self.namespace.name, 24)
    }

    // --- outgoing ---------------------------------------------------------------------------------------

    /// Sends an event to this socket alone.
    pub(crate) fn emit(self: &Rc<Self>, args: Args) {
        if self.has(Fault::EventsNameNoNamespace) {
            return self.deliver(&Message::event("/", None, &args), false);
        }
        if self.has(Fault::OwnRoomNeeded) && !self.rooms().contains(&self.id) {
            return;
        }
        let own = Selection { to: vec![self.id.clone()], ..Selection::default() };
        if self.namespace.recovery.is_some() {
            // Any node may have to send it again.
            self.io.cast_elsewhere(&self.namespace, &own, None, false, &args);
        }
        let message = self.namespace.encode_recorded(&own, None, args);
        if self.has(Fault::EmitLeaks) {
            let others = Selection { except_key: Some(self.key), ..Selection::default() };
            self.namespace.members(&others).iter().for_each(|other| other.deliver(&message, false));
        }
        self.deliver(&message, false);
    }

    /// Sends an encoded event, unless the socket has ended or a volatile one would have to wait.
    pub(crate) fn deliver(self: &Rc<Self>, message: &Message, volatile: bool) {
        if !self.connected.get() || (volatile && !self.is_ready()) {
            return;
        }
        if volatile && self.has(Fault::VolatileWithoutAttachments) {
            return self.connection.session.send(&message.packets()[..1]);
        }
        if !self.connection.spoil_delivery(message) {
            self.connection.send(message);
        }
    }

    /// Whether a volatile event would go out at once. Source: Socket.IO documentation, "Volatile events".
    fn is_ready(&self) -> bool {
        let ready = self.connection.session.writable() || self.has(Fault::VolatileBuffered);
        ready && !self.has(Fault::VolatileNever)
    }

    /// Sends a packet that is not an event.
    pub(crate) fn send(&self, message: &Message) {
        if self.connected.get() {
            self.connection.send(message);
        }
    }

    // --- rooms ------------------------------------------------------------------------------------------

    /// Enters rooms; beyond the limits it does not.
    pub(crate) fn join(self: &Rc<Self>, names: &[String]) {
        if !self.spoil_join(names) {
            self.join_now(names);
        }
    }

    pub(crate) fn join_now(&self, names: &[String]) {
        let limits = &self.shared.config.limits;
        let mut rooms = self.namespace.rooms.borrow_mut();
        for name in names {
            if rooms.rooms_of(self.key).len() <= limits.rooms && name.len() <= limits.room_name {
                rooms.join(self.key, name);
            }
        }
    }

    /// Leaves a room.
    pub(crate) fn leave_room(self: &Rc<Self>, name: &str) {
        if !self.spoil_leave_room(name) {
            self.namespace.rooms.borrow_mut().leave(self.key, name);
        }
    }

    /// The rooms it is in, its own id first.
    pub(crate) fn rooms(&self) -> Vec<Rc<str>> {
        self.namespace.rooms.borrow().rooms_of(self.key).to_vec()
    }

    // --- the end ----------------------------------------------------------------------------------------

    /// Puts the socket out; with `close`, the whole connection: every namespace is told, then the connection closes.
    pub(crate) fn disconnect(self: &Rc<Self>, close: bool, reason: Reason) {
        if !self.connected.get() {
            return;
        }
        let connection = &self.connection;
        if close {
            let mut sockets = connection.sockets.borrow().clone();
            if self.has(Fault::ByeToOneNamespace) {
                sockets.truncate(1);
            }
            sockets.iter().for_each(|socket| socket.disconnect(false, reason));
            return connection.session.close(reason);
        }
        if self.has(Fault::ByeClosesConnection) {
            return connection.session.close(reason);
        }
        self.send(&Message::disconnect(&self.namespace.name));
        self.leave(reason);
    }

    /// The socket ends: the application is told, then it is in no room any more.
    pub(crate) fn leave(self: &Rc<Self>, reason: Reason) {
        if !self.connected.replace(false) {
            return;
        }
        if self.has(Fault::RoomsLostEarly) {
            self.namespace.rooms.borrow_mut().remove(self.key);
        }
        let rooms = self.rooms();
        for _ in 0..self.tellings() {
            self.io.app.handle_disconnecting(self, reason, &rooms);
        }
        if self.has(Fault::RoomsEndWithMember) {
            rooms.iter().for_each(|room| self.namespace.rooms.borrow_mut().empty(room));
        }
        if reason.is_recoverable() || self.has(Fault::LeaversRecovered) {
            self.keep(rooms);
        }
        if !self.has(Fault::GhostMembers) {
            self.namespace.rooms.borrow_mut().remove(self.key);
        }
        if !(self.has(Fault::LeaveHalfDone) && reason == Reason::ClientNamespaceDisconnect) {
            self.connection.sockets.borrow_mut().retain(|socket| socket.key != self.key);
        }
        let unanswered = self.waiting.take();
        if self.has(Fault::LeaverForgiven) {
            unanswered.into_values().for_each(|waiting| waiting(Vec::new()));
        }
        self.io.retire(&self.namespace);
    }

    /// For the fault of recovering whoever is still there: remembers it as if it had gone.
    pub(crate) fn keep_while_it_lives(&self) {
        self.keep(self.rooms());
    }

    /// Remembers, on every node, that it may come back.
    fn keep(&self, rooms: Vec<Rc<str>>) {
        let Some(pid) = &self.pid else { return };
        self.io.elsewhere.tell(&Args::new(), || Told::Lost {
            namespace: self.namespace.name.to_string(),
            pid: pid.to_string(),
            sid: self.id.to_string(),
            rooms: rooms.iter().map(|room| room.to_string()).collect(),
        });
        let lost = Lost { sid: self.id.clone(), rooms, at: Instant::now(), elsewhere: false };
        self.namespace.keep(pid, lost);
    }

    /// The client answered an event. Spec: "Acknowledgement"; an id that nobody waits for is no matter.
    pub(crate) fn handle_ack(self: &Rc<Self>, id: Option<&str>, args: Vec<Arg<'_>>) {
        let Some(id) = id.and_then(|id| id.parse::<u64>().ok()) else { return };
        if self.has(Fault::AnswersIgnored) {
            return;
        }
        let own = self.waiting.borrow_mut().remove(&id);
        match own.or_else(|| self.wrong_question(id)) {
            Some(waiting) => waiting(args.into_iter().map(Arg::into_owned).collect()),
            None if self.has(Fault::UnknownAckFatal) => self.connection.session.close(Reason::ForcedClose),
            None => {}
        }
    }
}
