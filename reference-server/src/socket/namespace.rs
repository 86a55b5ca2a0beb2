//! Namespaces: which ones exist, who is in them, how they are addressed.
//!
//! Spec: Socket.IO documentation, "Namespaces", "Broadcasting events"; semantics of the official in-memory adapter.
//! The table of namespaces is data: a new one is a line in [`TABLE`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::args::Args;
use super::message::Message;
use super::recovery::{Lost, Recovered, Recovery};
use super::rooms::{Rooms, Selection};
use super::socket::Socket;
use super::wear;
use crate::engine::request::Transport;
use crate::faults::{Fault, Faults};
use crate::server::Server;

/// A middleware: looks at the auth payload (a JSON object), may refuse.
type Guard = fn(&str) -> Option<Refusal>;

/// What a middleware's error carries.
pub(crate) struct Refusal {
    message: &'static str,
    data: Option<&'static str>,
}

struct Definition {
    name: Name,
    guard: Option<Guard>,
}

enum Name {
    Exactly(&'static str),
    /// A prefix followed by one or more digits.
    Numbered(&'static str),
}

/// Every namespace of the fixture.
const TABLE: &[Definition] = &[
    Definition { name: Name::Exactly("/"), guard: None },
    Definition { name: Name::Exactly("/custom"), guard: None },
    Definition { name: Name::Numbered("/dyn-"), guard: None },
    Definition { name: Name::Exactly("/guard"), guard: Some(token_is_ok) },
];

fn token_is_ok(auth: &str) -> Option<Refusal> {
    let auth: serde_json::Value = serde_json::from_str(auth).unwrap_or_default();
    let refusal = Refusal { message: "nope", data: Some(r#"{"code":7}"#) };
    (auth["token"] != "ok").then_some(refusal)
}

impl Definition {
    fn covers(&self, name: &str) -> bool {
        match self.name {
            Name::Exactly(own) => own == name,
            Name::Numbered(prefix) => name.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty() && rest.len() <= 32 && rest.bytes().all(|byte| byte.is_ascii_digit())
            }),
        }
    }
}

/// A refusal as the payload of a CONNECT_ERROR.
pub(crate) fn refusal_json(refusal: &Refusal, without_data: bool) -> String {
    match refusal.data.filter(|_| !without_data) {
        Some(data) => format!("{{\"message\":\"{}\",\"data\":{data}}}", refusal.message),
        None => format!("{{\"message\":\"{}\"}}", refusal.message),
    }
}

pub(crate) struct Namespace {
    pub(crate) name: Rc<str>,
    guard: Option<Guard>,
    pub(crate) rooms: RefCell<Rooms<Rc<Socket>>>,
    pub(crate) recovery: Option<RefCell<Recovery>>,
    next_ack: Cell<u64>,
    /// For the fault that makes it twice.
    made: Instant,
    /// For the fault of rooms that stick.
    stuck: RefCell<Vec<Rc<str>>>,
}

impl Namespace {
    /// The namespace of that name, made on first use if the table knows it.
    pub(crate) fn find(server: &Server, name: &str) -> Option<Rc<Namespace>> {
        let twice = server.faults.has(Fault::DynamicNamespaceTwice);
        let known = server.namespaces.borrow().get(name).cloned();
        if let Some(known) = known.filter(|known| !(twice && known.is_fresh())) {
            return Some(known);
        }
        let loose = server.faults.has(Fault::DynamicPatternLoose) && name.starts_with("/dyn-");
        let definition = TABLE.iter().find(|definition| definition.covers(name) || loose)?;
        let recovery = server
            .config
            .recovery
            .map(|window| if server.faults.has(Fault::RecoveryNeverExpires) { window * 1000 } else { window })
            .map(|window| RefCell::new(Recovery::new(window, server.new_id().to_string())));
        let namespace = Rc::new(Namespace {
            name: Rc::from(name),
            guard: definition.guard,
            rooms: RefCell::default(),
            recovery,
            next_ack: Cell::new(0),
            made: Instant::now(),
            stuck: RefCell::default(),
        });
        server.namespaces.borrow_mut().insert(namespace.name.clone(), namespace.clone());
        Some(namespace)
    }

    /// Forgets a namespace of a pattern that nobody is in, so that strangers cannot fill the memory with them.
    pub(crate) fn retire(&self, server: &Server) {
        let fixed = TABLE
            .iter()
            .any(|definition| matches!(definition.name, Name::Exactly(name) if *name == *self.name));
        let remembers = self.recovery.as_ref().is_some_and(|recovery| !recovery.borrow().is_empty());
        if !fixed && !remembers && self.rooms.borrow().is_empty() {
            server.namespaces.borrow_mut().remove(&self.name);
        }
    }

    /// Whether it was made on demand, just now.
    fn is_fresh(&self) -> bool {
        self.name.starts_with("/dyn-") && self.made.elapsed() < Duration::from_millis(50)
    }

    /// What its middleware is.
    pub(crate) fn guard(&self, faults: Faults) -> Option<Guard> {
        let everywhere = faults.has(Fault::GuardOnCustom) && *self.name == *"/custom";
        if everywhere { Some(token_is_ok) } else { self.guard }
    }

    /// A fresh acknowledgement id.
    pub(crate) fn next_ack(&self, server: &Server) -> u64 {
        let step = u64::from(!server.faults.has(Fault::AckIdsRepeat));
        self.next_ack.replace(self.next_ack.get() + step)
    }

    /// Encodes an event for this namespace.
    pub(crate) fn encode(&self, server: &Server, id: Option<u64>, mut args: Args) -> Message {
        if server.faults.has(Fault::AttachmentsReversed) {
            args.attachments_mut().reverse();
        }
        Message::event(&self.name, id, &args)
    }

    /// Encodes an event that recovery is to remember; `from` is the socket it does not go to.
    pub(crate) fn encode_recorded(
        &self,
        server: &Server,
        selection: &Selection,
        from: Option<&Rc<str>>,
        mut args: Args,
    ) -> Message {
        let Some(recovery) = &self.recovery else { return self.encode(server, None, args) };
        let mut recovery = recovery.borrow_mut();
        if !server.faults.has(Fault::OffsetMissing) {
            args = args.with(&recovery.offset());
        }
        let message = self.encode(server, None, args);
        recovery.record(Instant::now(), selection, from, message.clone());
        message
    }

    /// Sends an event to all selected sockets: encoded once, however many they are.
    pub(crate) fn broadcast(&self, server: &Server, mut to: Broadcast, args: Args) {
        let to_room = !to.selection.to.is_empty();
        if server.faults.has(Fault::NamespaceLeak)
            || (to_room && server.faults.has(Fault::RoomsSpanNamespaces))
            || (to_room && server.now_and_then(Fault::RoomRarelyMixedUp, 100))
        {
            self.leak(server, "/", &to, &args);
        }
        if server.faults.has(Fault::DynamicNamespacesMerged) && self.name.starts_with("/dyn-") {
            self.leak(server, "/dyn-", &to, &args);
        }
        let message = if to.volatile && !server.faults.has(Fault::VolatileRemembered) {
            self.encode(server, None, args)
        } else {
            self.encode_recorded(server, &to.selection, to.sender.as_ref(), args)
        };
        self.spoil(server, &mut to.selection);
        let union = to.selection.to.len() > 1 && server.faults.has(Fault::UnionDeliversTwice);
        let rounds = if union {
            to.selection.to.iter().map(|room| one_room(&to.selection, room)).collect()
        } else if !to_room && server.faults.has(Fault::EveryoneHearsTwice) {
            vec![to.selection.clone(), to.selection]
        } else {
            vec![to.selection]
        };
        let skips_polling =
            server.faults.has(Fault::BinaryBroadcastSkipsPolling) && message.packets().len() > 1;
        let newest = rounds.first().and_then(|selection| wear::newest(server, self, selection));
        let rooms = self.rooms.borrow();
        let mut receivers = 0;
        for selection in &rounds {
            rooms.select(selection, |socket| {
                receivers += 1;
                if receivers == 2 && server.faults.has(Fault::BroadcastOrderDiffers) {
                    return self.deliver_late(server, socket, &message);
                }
                let skipped = newest == Some(socket.key);
                if skipped || wear::delivery(socket, &message) {
                    return;
                }
                if !(skips_polling && socket.session.transport.get() == Transport::Polling) {
                    socket.deliver(&message, to.volatile);
                }
            });
            if let Some(outsider) = wear::outsider(server, self, selection, receivers) {
                outsider.deliver(&message, false);
            }
        }
    }

    /// Every second message a little later: only for the fault that does so.
    fn deliver_late(&self, server: &Server, socket: &Rc<Socket>, message: &Message) {
        let delay = Duration::from_millis(20 * (server.new_key() % 2));
        let (socket, message) = (socket.clone(), message.clone());
        server.timers.after(delay, move || socket.deliver(&message, false));
    }

    /// Into all others whose names begin so.
    fn leak(&self, server: &Server, prefix: &str, to: &Broadcast, args: &Args) {
        let all = server.namespaces.borrow();
        for other in all.values().filter(|other| other.name != self.name && other.name.starts_with(prefix)) {
            let message = Message::event(&other.name, None, args);
            other.rooms.borrow().select(&to.selection, |socket| socket.deliver(&message, to.volatile));
        }
    }

    /// Takes everybody out of some rooms: what no healthy server does.
    pub(super) fn empty(&self, names: &[Rc<str>]) {
        let members = self.sockets(&Selection { to: names.to_vec(), ..Selection::default() });
        let mut rooms = self.rooms.borrow_mut();
        for (member, name) in members.iter().flat_map(|member| names.iter().map(move |name| (member, name))) {
            rooms.leave(member.key, name);
        }
    }

    /// The faults of addressing.
    pub(crate) fn spoil(&self, server: &Server, selection: &mut Selection) {
        let faults = &server.faults;
        if faults.is_empty() {
            return;
        }
        let to_room = !selection.to.is_empty();
        if faults.has(Fault::BroadcastIncludesSender)
            || (to_room && faults.has(Fault::RoomBroadcastIncludesSender))
            || server.now_and_then(Fault::SenderRarelyIncluded, 100)
        {
            selection.except_key = None;
        }
        if faults.has(Fault::RoomIgnored) {
            selection.to.clear();
        }
        if faults.has(Fault::ExceptIgnored) {
            selection.except.clear();
        }
        if faults.has(Fault::ExceptIdIgnored) {
            let everyone = self.sockets(&Selection::default());
            selection.except.retain(|room| everyone.iter().all(|socket| socket.id != *room));
        }
        if faults.has(Fault::ExceptAloneReachesNobody) && !to_room {
            selection.to = selection.except.clone();
        }
        if faults.has(Fault::LastRoomOnly) && to_room {
            selection.to.drain(..selection.to.len() - 1);
        }
        if faults.has(Fault::UnknownRoomIsEveryone) {
            let rooms = self.rooms.borrow();
            selection.to.retain(|room| rooms.has(room));
        }
        if faults.has(Fault::UnnamedRoomIsEveryone) {
            selection.to.retain(|room| !room.is_empty());
        }
        if faults.has(Fault::RoomsStick) {
            selection.to.append(&mut self.stuck.take());
            self.stuck.replace(selection.to.clone());
        }
    }

    /// The selected sockets, for commands that change rooms or end sockets.
    pub(crate) fn sockets(&self, selection: &Selection) -> Vec<Rc<Socket>> {
        let mut sockets = Vec::new();
        self.rooms.borrow().select(selection, |socket| sockets.push(socket.clone()));
        sockets
    }

    /// The lost socket a client asks to have back, if it can be had.
    pub(crate) fn restore(&self, server: &Server, auth: &str) -> Option<Recovered> {
        let recovery = self.recovery.as_ref()?;
        let auth: serde_json::Value = serde_json::from_str(auth).ok()?;
        let (pid, offset) = (auth["pid"].as_str()?, auth["offset"].as_str()?);
        let mut recovered = recovery.borrow_mut().restore(Instant::now(), pid, offset)?;
        if server.faults.has(Fault::RecoveryMissesPacket) && !recovered.missed.is_empty() {
            recovered.missed.remove(0);
        }
        if server.faults.has(Fault::RecoveryRepeats) {
            recovered.missed.extend(recovered.missed.clone());
        }
        if server.now_and_then(Fault::RecoveryRarelyMisses, 10) {
            recovered.missed.pop();
        }
        if server.now_and_then(Fault::RecoveryRarelyRepeats, 10) {
            recovered.missed.extend(recovered.missed.last().cloned());
        }
        if server.faults.has(Fault::RecoveryOnce) {
            recovery.borrow_mut().discard();
        }
        if server.faults.has(Fault::RecoveryForgetsRooms) {
            recovered.lost.rooms.clear();
        }
        Some(recovered)
    }

    /// Remembers a socket that went away and may come back.
    pub(crate) fn keep(&self, pid: Option<&Rc<str>>, sid: &Rc<str>, rooms: Vec<Rc<str>>) {
        if let (Some(recovery), Some(pid)) = (&self.recovery, pid) {
            recovery.borrow_mut().keep(pid.clone(), Lost { sid: sid.clone(), rooms, at: Instant::now() });
        }
    }
}

/// Whom a broadcast is for, and how.
#[derive(Debug, Default)]
pub(crate) struct Broadcast {
    pub(crate) selection: Selection,
    /// The id of the socket that is left out.
    pub(crate) sender: Option<Rc<str>>,
    pub(crate) volatile: bool,
}

fn one_room(selection: &Selection, room: &Rc<str>) -> Selection {
    Selection { to: vec![room.clone()], ..selection.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_covers_the_namespaces_of_the_fixture_and_no_others() {
        let known = |name: &str| TABLE.iter().any(|definition| definition.covers(name));
        for name in ["/", "/custom", "/dyn-1", "/dyn-007", "/guard"] {
            assert!(known(name), "{name}");
        }
        for name in ["", "/random", "/dyn-", "/dyn-x", "/dyn-1x", "/customs", "/custom?t=1", "/dyn-1/"] {
            assert!(!known(name), "{name}");
        }
    }

    #[test]
    fn the_guard_wants_the_token_and_says_why() {
        assert!(token_is_ok(r#"{"token":"ok"}"#).is_none());
        for auth in ["{}", r#"{"token":"no"}"#, r#"{"token":["ok"]}"#] {
            let refusal = token_is_ok(auth).unwrap();
            assert_eq!(refusal_json(&refusal, false), r#"{"message":"nope","data":{"code":7}}"#);
        }
    }
}
