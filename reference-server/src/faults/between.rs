//! What the faults of clusters do to messages between nodes, and to what a node does with them.
//!
//! On a healthy node all of these change nothing.

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Fault;
use super::lagging::{Lagging, State};
use crate::bus::frame::NodeId;
use crate::socket::args::Args;
use crate::socket::hearing::Hearing;
use crate::socket::message::Message;
use crate::socket::rooms::Selection;
use crate::socket::socket::{Socket, Space};

/// The longest notification of PostgreSQL, in bytes.
const LONGEST_NOTIFICATION: usize = 8_000;
/// How long a join is not known to the other nodes.
const SPREAD: Duration = Duration::from_secs(3);
/// How long a message takes that is overtaken by others.
const DETOUR: Duration = Duration::from_millis(300);
/// So many moves are remembered by the faults that do.
const MOST_LAGGING: usize = 10_000;

impl Hearing {
    /// What is heard instead of a message.
    pub(crate) fn spoil_arrival(self: &Rc<Self>, from: NodeId, payload: Bytes) -> Vec<Bytes> {
        let shared = &self.io.shared;
        let after_restart = self.link.connections() > 1;
        let is_deaf = shared.has(Fault::NodeDeaf) || shared.has(Fault::DeafAfterBusRestart) && after_restart;
        if is_deaf && self.link.is_second()
            || shared.now_and_then(Fault::BusDrops1In1000, 1000)
            || shared.has(Fault::BigMessagesDroppedBetweenNodes) && payload.len() > LONGEST_NOTIFICATION
        {
            return Vec::new();
        }
        if shared.has(Fault::DoublesAfterBusRestart) && after_restart
            || shared.now_and_then(Fault::BusDoubles, 100)
        {
            return vec![payload.clone(), payload];
        }
        if shared.now_and_then(Fault::BusReorders, 50) {
            let late = self.clone();
            shared.after(DETOUR, move || late.hear(from, payload));
            return Vec::new();
        }
        vec![payload]
    }

    /// A node has gone. `true`: nobody is told.
    pub(crate) fn spoil_departure(&self, node: NodeId) -> bool {
        let awaited = self.io.shared.has(Fault::DeadNodeAwaited);
        if awaited {
            self.io.elsewhere.departed.borrow_mut().push(node);
        }
        awaited
    }

    /// Whether what another node says is lost because nobody is here to hear it.
    pub(crate) fn spoil_record(&self, namespace: &Space) -> bool {
        self.io.shared.has(Fault::EmptyNodeDrops) && namespace.rooms.borrow().is_empty()
    }

    /// Whom a broadcast of another node is for.
    pub(crate) fn spoil_scope(&self, scope: &mut Selection) {
        let shared = &self.io.shared;
        if shared.has(Fault::RoomsLeakAcrossNodes) {
            scope.to.clear();
        }
        if shared.has(Fault::ExceptIgnoredAcrossNodes) {
            scope.except.clear();
        }
    }

    /// Where else a broadcast of another node goes.
    pub(crate) fn spoil_namespace(&self, namespace: &Space, scope: &Selection, args: &Args) {
        if !self.io.shared.has(Fault::NamespacesLeakAcrossNodes) {
            return;
        }
        for other in self.io.namespaces.all().iter().filter(|other| other.name != namespace.name) {
            let message = Message::event(&other.name, None, args);
            other.rooms.borrow().select(scope, |socket| socket.deliver(&message, false));
        }
    }

    /// Whether a socket gets a broadcast of another node once more.
    pub(crate) fn is_doubled(&self, socket: &Socket, scope: &Selection) -> bool {
        let rooms = socket.rooms();
        let is_in = |room: &&Rc<str>| rooms.contains(room);
        self.io.shared.has(Fault::UnionDoublesAcrossNodes) && scope.to.iter().filter(is_in).count() > 1
    }

    /// Whether a socket is selected by a room alone that other nodes do not know it to be in.
    pub(crate) fn is_out_of_reach(&self, socket: &Rc<Socket>, scope: &Selection) -> bool {
        if scope.to.is_empty() || !self.io.shared.has(Fault::JoinSpreadsLate) {
            return false;
        }
        let lagging = socket.namespace.lagging.borrow();
        let rooms = socket.rooms();
        let is_new = |room: &Rc<str>| {
            lagging
                .iter()
                .filter(|lagging| lagging.concerns(socket.key, room))
                .any(|lagging| matches!(lagging.state, State::JoinedAt(at) if at.elapsed() < SPREAD))
        };
        !scope.to.iter().any(|room| rooms.contains(room) && !is_new(room))
    }

    /// Sockets that have left the rooms of a broadcast, if other nodes do not learn of that.
    pub(crate) fn leavers(&self, namespace: &Space, scope: &Selection) -> Vec<Rc<Socket>> {
        let lagging = namespace.lagging.borrow();
        let left = lagging.iter().filter_map(|lagging| match &lagging.state {
            State::Left(socket) if scope.to.iter().any(|room| **room == *lagging.room) => {
                Some(socket.clone())
            }
            _ => None,
        });
        left.collect()
    }
}

impl Socket {
    /// A join or a leave that is not to be known to other nodes.
    pub(super) fn lag(self: &Rc<Self>, room: &str, enters: bool) {
        let state = match enters {
            true => self.has(Fault::JoinSpreadsLate).then(|| State::JoinedAt(Instant::now())),
            false => self.has(Fault::LeaveNotSpread).then(|| State::Left(self.clone())),
        };
        let mut lagging = self.namespace.lagging.borrow_mut();
        lagging.retain(|lagging| !lagging.concerns(self.key, room));
        if let Some(state) = state.filter(|_| lagging.len() < MOST_LAGGING) {
            lagging.push(Lagging { key: self.key, room: room.into(), state });
        }
    }
}
