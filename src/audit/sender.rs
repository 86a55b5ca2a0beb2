//! How far the messages of a sender have come, and when its connections ended.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use super::events::{Moment, SentMessage};

/// A sender's connection ended, or may have: what it had sent, the server need not have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEnd {
    /// Its index among the clients of the run.
    pub sender: u32,
    /// When.
    pub at: Moment,
    /// What was sent up to then had been read, if anything showed that.
    pub read: Option<Moment>,
}

/// A sender learned that the server had put it into another room: what it had sent to the one before may have come too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderMove {
    /// Its index among the clients of the run.
    pub sender: u32,
    /// Out of which room.
    pub room: Arc<str>,
    /// When it had come there.
    pub since: Moment,
    /// When it learned that it is there no more.
    pub at: Moment,
}

/// The messages of one sender. Most senders have said nothing of late: those take little.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Its first message that is not judged.
    pub(super) judged: u64,
    /// The one after the last that was seen.
    pub(super) seen: u64,
    /// What was sent up to then is read, as far as its own ledger knows.
    pub(super) read: Option<Moment>,
    recent: Option<Box<Recent>>,
}

/// What matters for the messages of a sender that are not judged.
#[derive(Debug, Default)]
struct Recent {
    /// Those that are known. They are judged in their order, each when it is due.
    queue: VecDeque<u64>,
    /// When its connections ended, while messages were open, and up to when what was sent had been read.
    ends: ThinVec<(Moment, Option<Moment>)>,
    /// What it learned of moves, while messages were open.
    moves: ThinVec<SenderMove>,
}

impl Course {
    /// A message is known. Whether it is the next to be judged.
    pub(super) fn put(&mut self, sequence: u64) -> bool {
        let recent = self.recent.get_or_insert_default();
        recent.queue.push_back(sequence);
        recent.queue.len() == 1
    }

    /// A message is judged. Gives the next. What ended before a time does not matter any more.
    pub(super) fn close(&mut self, sequence: u64, horizon: Moment) -> Option<u64> {
        self.judged = self.judged.max(sequence + 1);
        let recent = self.recent.as_mut()?;
        recent.queue.pop_front();
        recent.ends.retain(|(end, _)| *end >= horizon);
        recent.moves.retain(|learned| learned.at >= horizon);
        let next = recent.queue.front().copied();
        self.recent
            .take_if(|recent| recent.queue.is_empty() && recent.ends.is_empty() && recent.moves.is_empty());
        next
    }

    /// Whether some message is known and not judged.
    pub(super) fn is_open(&self) -> bool {
        self.recent.as_ref().is_some_and(|recent| !recent.queue.is_empty())
    }

    /// Those that were sent after a message and are not judged.
    pub(super) fn after(&self, sequence: u64) -> impl Iterator<Item = u64> + '_ {
        self.recent.iter().flat_map(move |recent| {
            let later = recent.queue.partition_point(|other| *other <= sequence);
            recent.queue.iter().skip(later).copied()
        })
    }

    /// Those that were sent before a message and are not judged.
    pub(super) fn before(&self, sequence: u64) -> impl Iterator<Item = u64> + '_ {
        let queue = self.recent.iter().flat_map(|recent| recent.queue.iter().copied());
        queue.take_while(move |other| *other < sequence)
    }

    /// A connection ended. Those without open messages do not matter.
    pub(super) fn end(&mut self, at: Moment, read: Option<Moment>) {
        if let Some(recent) = self.recent.as_mut().filter(|recent| !recent.queue.is_empty()) {
            if recent.ends.is_empty() {
                // Nearly always the only one.
                recent.ends.reserve_exact(1);
            }
            recent.ends.push((at, read));
        }
    }

    /// The sender learned of a move.
    pub(super) fn learn(&mut self, learned: SenderMove) {
        if let Some(recent) = self.recent.as_mut().filter(|recent| !recent.queue.is_empty()) {
            recent.moves.push(learned);
        }
    }

    /// When the sender of a message learned, after it had sent it and before a time, that it had been moved out of a room where
    /// that was to go, perhaps before the server handled it.
    pub(super) fn moved_after(&self, message: &SentMessage, by: Moment) -> Option<Moment> {
        let is_it = |learned: &&SenderMove| {
            let is_between = learned.since <= message.sent && message.sent <= learned.at && learned.at < by;
            is_between && message.to.contains(&learned.room)
        };
        let moves = self.recent.iter().flat_map(|recent| &recent.moves);
        moves.filter(is_it).map(|learned| learned.at).min()
    }

    /// Whether a connection ended between two times.
    pub(super) fn ended_within(&self, from: Moment, to: Moment) -> bool {
        self.ends().any(|(end, _)| from <= *end && *end < to)
    }

    /// Whether a connection ended between two times, and nothing had shown by then that what was sent at the first was read.
    pub(super) fn may_have_lost(&self, sent: Moment, by: Moment) -> bool {
        let is_it = |(end, read): &(Moment, Option<Moment>)| {
            sent <= *end && *end < by && read.is_none_or(|read| read < sent)
        };
        self.ends().any(is_it)
    }

    /// When a connection ended first since a time.
    pub(super) fn first_end(&self, since: Moment) -> Option<Moment> {
        self.ends().map(|(end, _)| *end).filter(|end| *end >= since).min()
    }

    fn ends(&self) -> impl Iterator<Item = &(Moment, Option<Moment>)> {
        self.recent.iter().flat_map(|recent| &recent.ends)
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.recent.as_ref().map_or(0, |recent| recent.queue.len() + recent.ends.len() + recent.moves.len())
    }
}
