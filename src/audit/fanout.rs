//! How long a message takes to the first of its receivers and to the last: what each worker knows of its own clients, put
//! together.

use serde::{Deserialize, Serialize};

use super::events::{Key, Moment};
use super::maps::Map;

/// The receipts of a message by the clients of one worker, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FanoutPart {
    /// Which message.
    pub key: Key,
    /// When it was due.
    pub due: Moment,
    /// How many have received it.
    pub receivers: usize,
    /// When the first of them did, if any.
    pub first: Option<Moment>,
    /// When the last of them did, if any.
    pub last: Option<Moment>,
}

/// How long a message took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// When it was due.
    pub due: Moment,
    /// From then to its first receipt.
    pub first: Moment,
    /// From then to its last.
    pub last: Moment,
}

impl FanoutPart {
    fn merge(&mut self, other: FanoutPart) {
        self.receivers += other.receivers;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }

    /// What one receiver alone heard was not fanned out.
    fn reached(&self) -> Option<Reached> {
        let due = self.due;
        let since = |at: Moment| at.saturating_sub(due);
        let (first, last) = (self.first.map(since)?, self.last.map(since)?);
        (self.receivers > 1).then_some(Reached { due, first, last })
    }
}

/// Messages of which not all workers have told yet. Each worker tells of each message once.
#[derive(Debug)]
pub struct Fanout {
    workers: usize,
    open: Map<Key, (usize, FanoutPart)>,
}

impl Fanout {
    /// Of so many workers.
    pub fn new(workers: usize) -> Fanout {
        Fanout { workers, open: Map::default() }
    }

    /// Takes what a worker tells. When it is the last to tell, gives how long the message took.
    pub fn add(&mut self, span: FanoutPart) -> Option<Reached> {
        let (told, whole) = self
            .open
            .entry(span.key)
            .or_insert((0, FanoutPart { receivers: 0, first: None, last: None, ..span }));
        *told += 1;
        whole.merge(span);
        if *told < self.workers {
            return None;
        }
        self.open.remove(&span.key)?.1.reached()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(times: &[u64]) -> FanoutPart {
        let at = |micros: Option<&u64>| micros.map(|micros| Moment::from_micros(*micros));
        FanoutPart {
            key: Key { sender: 3, sequence: 7 },
            due: Moment::from_micros(100),
            receivers: times.len(),
            first: at(times.first()),
            last: at(times.last()),
        }
    }

    #[test]
    fn a_message_is_told_once_when_the_last_worker_has_told_of_it() {
        let mut fanout = Fanout::new(3);
        assert_eq!(fanout.add(span(&[130, 150])), None);
        assert_eq!(fanout.add(span(&[])), None);
        let [due, first, last] = [100, 20, 50].map(Moment::from_micros);
        let reached = Reached { due, first, last };
        assert_eq!(fanout.add(span(&[120, 140])), Some(reached));
        assert!(fanout.open.is_empty());
    }

    #[test]
    fn one_receiver_is_no_fan_out() {
        let mut fanout = Fanout::new(2);
        assert_eq!((fanout.add(span(&[130])), fanout.add(span(&[]))), (None, None));
        assert!(fanout.open.is_empty());
    }
}
