//! The rooms that some client of the run has asked for, and when it first did. Ledgers tell each other of them.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::events::Moment;
use super::maps::Map;

/// The most rooms that are remembered. Of messages to others it is not known to whom they go.
const MOST_ROOMS: usize = 1 << 18;

/// A room by the hash of its namespace and name: to know of all rooms of all ledgers costs little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Mark(u64);

impl Mark {
    fn of(namespace: &str, room: &str) -> Mark {
        // The same in every ledger, unlike the seeded hashes of our maps.
        let mut hasher = DefaultHasher::new();
        (namespace, room).hash(&mut hasher);
        Mark(hasher.finish())
    }

    /// Of the room that a socket has for itself, which nobody asks for.
    fn of_own(namespace: &str, sid: &str) -> Mark {
        let Mark(of) = Mark::of(namespace, sid);
        Mark(!of)
    }
}

/// A room, and when a client first asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedRoom {
    mark: Mark,
    asked: Moment,
}

impl AskedRoom {
    /// It was asked for at another time, by another clock.
    pub(super) fn change(&mut self, to: impl Fn(Moment) -> Moment) {
        self.asked = to(self.asked);
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct KnownRooms {
    asked: Map<Mark, Moment>,
    /// Those that this ledger was the first to know, or knew earlier, for the other ledgers.
    fresh: Vec<AskedRoom>,
}

impl KnownRooms {
    /// A client of this ledger asks for a room.
    pub(super) fn ask(&mut self, namespace: &str, room: &str, asked: Moment) {
        self.learn(AskedRoom { mark: Mark::of(namespace, room), asked });
    }

    /// A client of this ledger has got a socket, with a room of its own.
    pub(super) fn ask_own(&mut self, namespace: &str, sid: &str, asked: Moment) {
        self.learn(AskedRoom { mark: Mark::of_own(namespace, sid), asked });
    }

    /// Another ledger tells of a room. Gives whether that was news.
    pub(super) fn handle(&mut self, room: AskedRoom) -> bool {
        let is_news = match self.asked.get(&room.mark) {
            Some(asked) => room.asked < *asked,
            None => self.asked.len() < MOST_ROOMS,
        };
        if is_news {
            self.asked.insert(room.mark, room.asked);
        }
        is_news
    }

    /// What the other ledgers do not know yet.
    pub(super) fn take_fresh(&mut self) -> Vec<AskedRoom> {
        std::mem::take(&mut self.fresh)
    }

    /// Whether some client had asked for a room by then, or it was a socket's own.
    pub(super) fn has(&self, namespace: &str, room: &str, by: Moment) -> bool {
        self.was_asked(Mark::of(namespace, room), by) || self.has_own(namespace, room, by)
    }

    /// Whether a room was a socket's own by then.
    pub(super) fn has_own(&self, namespace: &str, room: &str, by: Moment) -> bool {
        self.was_asked(Mark::of_own(namespace, room), by)
    }

    fn was_asked(&self, mark: Mark, by: Moment) -> bool {
        self.asked.get(&mark).is_some_and(|asked| *asked <= by)
    }

    fn learn(&mut self, room: AskedRoom) {
        if self.handle(room) {
            self.fresh.push(room);
        }
    }
}
