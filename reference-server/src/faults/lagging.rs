//! Moves that a broken cluster takes into account late or never, for broadcasts from other nodes.

use std::time::Instant;

use crate::socket::rooms::Key;

/// A join or a leave of a member `T`.
#[derive(Debug)]
pub(crate) struct Lagging<T> {
    pub(super) key: Key,
    pub(super) room: Box<str>,
    pub(super) state: State<T>,
}

#[derive(Debug)]
pub(super) enum State<T> {
    JoinedAt(Instant),
    Left(T),
}

impl<T> Lagging<T> {
    /// Whether it is a move of that member in that room.
    pub(super) fn concerns(&self, key: Key, room: &str) -> bool {
        self.key == key && *self.room == *room
    }
}
