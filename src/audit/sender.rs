//! How far the messages of a sender have come, and when its connections ended.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::events::Moment;

/// A sender's connection ended, or may have: what it had sent, the server need not have read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEnd {
    /// Its index among the clients of the run.
    pub sender: u32,
    /// When.
    pub at: Moment,
}

/// The messages of one sender.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Its first message that is not judged.
    pub(super) judged: u64,
    /// The one after the last that was seen.
    pub(super) seen: u64,
    /// Its messages that are known and not judged. They are judged in their order, each when it is due.
    queue: VecDeque<u64>,
    /// When its connections ended, while messages were open.
    ends: Vec<Moment>,
}

impl Course {
    /// A message is known. Whether it is the next to be judged.
    pub(super) fn put(&mut self, sequence: u64) -> bool {
        self.queue.push_back(sequence);
        self.queue.len() == 1
    }

    /// A message is judged. Gives the next. What ended before a time does not matter any more.
    pub(super) fn close(&mut self, sequence: u64, horizon: Moment) -> Option<u64> {
        self.judged = self.judged.max(sequence + 1);
        self.queue.pop_front();
        self.ends.retain(|end| *end >= horizon);
        self.queue.front().copied()
    }

    /// Whether some message is known and not judged.
    pub(super) fn is_open(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Those that were sent after a message and are not judged.
    pub(super) fn after(&self, sequence: u64) -> impl Iterator<Item = u64> + '_ {
        let later = self.queue.partition_point(|other| *other <= sequence);
        self.queue.iter().skip(later).copied()
    }

    /// Those that were sent before a message and are not judged.
    pub(super) fn before(&self, sequence: u64) -> impl Iterator<Item = u64> + '_ {
        self.queue.iter().copied().take_while(move |other| *other < sequence)
    }

    /// A connection ended. Those without open messages do not matter.
    pub(super) fn end(&mut self, at: Moment) {
        if self.is_open() {
            self.ends.push(at);
        }
    }

    /// Whether a connection ended between two times.
    pub(super) fn ended_within(&self, from: Moment, to: Moment) -> bool {
        self.ends.iter().any(|end| from <= *end && *end < to)
    }

    /// When a connection ended first since a time.
    pub(super) fn first_end(&self, since: Moment) -> Option<Moment> {
        self.ends.iter().copied().filter(|end| *end >= since).min()
    }

    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        self.queue.len() + self.ends.len()
    }
}
