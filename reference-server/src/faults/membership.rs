//! What the faults of namespaces, rooms, ends and answers do to a socket where it takes more than a line.
//!
//! On a healthy server all of these change nothing.

use std::rc::Rc;
use std::time::Duration;

use super::Fault;
use super::wear::LAG;
use crate::socket::namespace::Guard;
use crate::socket::rooms::Selection;
use crate::socket::socket::{Io, Socket, Space, Waiting};

/// The pattern of the fixture's namespaces that are made on demand.
const PATTERN: &str = "/dyn-";

impl Io {
    /// Whether a client that asks at once for a namespace that was just made gets another one.
    pub(crate) fn is_made_twice(&self, namespace: &Space) -> bool {
        self.shared.has(Fault::DynamicNamespaceTwice)
            && namespace.name.starts_with(PATTERN)
            && namespace.is_fresh()
    }

    /// Whether a namespace only begins like the pattern and is made nevertheless.
    pub(crate) fn is_loosely_covered(&self, name: &str) -> bool {
        self.shared.has(Fault::DynamicPatternLoose) && name.starts_with(PATTERN)
    }

    /// The middleware that a namespace has wrongly.
    pub(crate) fn wrong_guard(&self, name: &str) -> Option<Guard> {
        let wrong = self.shared.has(Fault::GuardOnCustom) && name == "/custom";
        wrong.then(|| self.table.iter().find_map(|other| other.guard))?
    }
}

impl Socket {
    /// A join. `true`: it has been dealt with.
    pub(crate) fn spoil_join(self: &Rc<Self>, names: &[String]) -> bool {
        if self.shared.faults.is_empty() {
            return false;
        }
        let delay = match () {
            () if self.has(Fault::JoinLate) => Duration::from_millis(100),
            () if self.has(Fault::JoinLags) => LAG,
            () => {
                self.join_wrongly(names);
                return true;
            }
        };
        let (socket, names) = (self.clone(), names.to_vec());
        self.shared.after(delay, move || socket.join_wrongly(&names));
        true
    }

    fn join_wrongly(self: &Rc<Self>, names: &[String]) {
        let several = if self.has(Fault::JoinFirstOnly) { 1 } else { names.len() };
        for name in names.iter().take(several) {
            let name = if self.has(Fault::RoomNamesFoldCase) { &name.to_lowercase() } else { name };
            if self.has(Fault::JoinToggles) && self.rooms().iter().any(|room| **room == **name) {
                self.namespace.rooms.borrow_mut().leave(self.key, name);
            } else {
                self.join_now(std::slice::from_ref(name));
                self.lag(name, true);
            }
        }
    }

    /// A leave. `true`: it has been dealt with.
    pub(crate) fn spoil_leave_room(self: &Rc<Self>, name: &str) -> bool {
        if self.has(Fault::LeaveLags) {
            let (socket, name) = (self.clone(), name.to_owned());
            let leave = move || socket.namespace.rooms.borrow_mut().leave(socket.key, &name);
            self.shared.after(LAG, leave);
            return true;
        }
        if self.has(Fault::LeaveEmptiesRoom) {
            self.namespace.rooms.borrow_mut().empty(name);
            return true;
        }
        self.lag(name, false);
        self.has(Fault::LeaveIgnored)
    }

    /// How often the application is told that the socket ends.
    pub(crate) fn tellings(&self) -> usize {
        let untold = self.key.is_multiple_of(50) && self.has(Fault::DisconnectUntold);
        usize::from(!untold) + usize::from(self.has(Fault::DisconnectToldTwice))
    }

    /// The question that an answer is wrongly taken for, when none of this socket has that id.
    pub(crate) fn wrong_question(&self, id: u64) -> Option<Waiting> {
        let from_any =
            |others: Vec<Rc<Socket>>| others.iter().find_map(|other| other.waiting.borrow_mut().remove(&id));
        let mut waiting = None;
        if self.has(Fault::AckFromAnySocket) {
            waiting = from_any(self.namespace.members(&Selection::default()));
        }
        if waiting.is_none() && self.has(Fault::AckFromAnyNamespace) {
            waiting = from_any(self.connection.sockets.borrow().clone());
        }
        if waiting.is_none() && self.has(Fault::AnswersMatchedByOrder) {
            waiting = self.waiting.borrow_mut().pop_first().map(|(_, waiting)| waiting);
        }
        waiting
    }
}
