//! How long a message takes to the first of its receivers and to the last: what each worker knows of its own clients, put
//! together.

use serde::{Deserialize, Serialize};

use super::events::{Key, Moment};
use super::maps::Map;

/// The receipts of a message by the clients of one worker, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Told", into = "Told")]
pub struct FanoutPart {
    /// Which message.
    pub key: Key,
    /// When it was due. Who tells of no receipt need not know.
    pub due: Moment,
    /// How many have received it.
    pub receivers: usize,
    /// When the first of them did, if any.
    pub first: Option<Moment>,
    /// When the last of them did, if any.
    pub last: Option<Moment>,
}

/// The same in few bytes: every worker tells of every message, and most of them of no receipt. Times are in microseconds, the
/// first receipt counted from when the message was due, the last from the first. By the clocks of two machines, it may have been
/// received before it was due.
#[derive(Serialize, Deserialize)]
struct Told {
    key: Key,
    received: Option<(u64, usize, i64, u64)>,
}

/// How long the quickest of some messages seems to have taken, by the clocks of two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quickest {
    /// In nanoseconds: negative where it seems to have come before it was due.
    pub nanos: i64,
    /// When it was received.
    pub at: Moment,
}

/// The shortest of the gaps of these, if any was received.
pub(super) fn quickest(parts: &[FanoutPart]) -> Option<Quickest> {
    parts.iter().filter_map(FanoutPart::gap).min_by_key(|gap| gap.nanos)
}

impl From<FanoutPart> for Told {
    fn from(FanoutPart { key, due, receivers, first, last }: FanoutPart) -> Told {
        let micros = |time: Moment| time.as_micros();
        let times = first.zip(last).filter(|_| receivers > 0);
        let received = times.map(|(first, last)| {
            let after = micros(first).cast_signed().saturating_sub(micros(due).cast_signed());
            (micros(due), receivers, after, micros(last.saturating_sub(first)))
        });
        Told { key, received }
    }
}

impl From<Told> for FanoutPart {
    fn from(Told { key, received }: Told) -> FanoutPart {
        let (due, receivers, first, last) = received.unwrap_or_default();
        let micros = Moment::from_micros;
        let first = micros(due.saturating_add_signed(first));
        let (due, times) = (micros(due), received.is_some());
        let last = times.then(|| first.saturating_add(micros(last)));
        FanoutPart { key, due, receivers, first: times.then_some(first), last }
    }
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
        self.due = self.due.max(other.due);
        self.receivers = self.receivers.saturating_add(other.receivers);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }

    /// How long after it was due it was first received, if it was.
    fn gap(&self) -> Option<Quickest> {
        let at = self.first.filter(|_| self.receivers > 0)?;
        let nanos = |time: Moment| i64::try_from(u64::from(time)).unwrap_or(i64::MAX);
        Some(Quickest { nanos: nanos(at).saturating_sub(nanos(self.due)), at })
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

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
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
    fn what_a_message_took_is_the_same_from_machines_as_from_threads() {
        // What was received before it was due, by the bounds of clocks, was received at once.
        for times in [&[][..], &[130], &[130, 150], &[90, 95], &[90, 150]] {
            let parts = [span(&[140]), span(times)];
            let bytes = parts.map(|part| postcard::to_stdvec(&part).expect("it has a form in bytes"));
            let reached = |parts: [FanoutPart; 2]| {
                let mut fanout = Fanout::new(2);
                parts.map(|part| fanout.add(part))
            };
            let carried = bytes.map(|bytes| postcard::from_bytes(&bytes).expect("it is a part"));
            assert_eq!(reached(carried), reached(parts), "{times:?}");
        }
    }

    #[test]
    fn how_long_the_quickest_of_some_messages_took_is_the_same_from_another_machine() {
        let parts = [span(&[140]), span(&[]), span(&[90, 150]), span(&[130])];
        let gap = Quickest { nanos: -10_000, at: Moment::from_micros(90) };
        assert_eq!(quickest(&parts), Some(gap));
        let carried = parts.map(|part| {
            let bytes = postcard::to_stdvec(&part).expect("it has a form in bytes");
            postcard::from_bytes(&bytes).expect("it is a part")
        });
        assert_eq!(quickest(&carried), Some(gap));
        assert_eq!(quickest(&carried[1..2]), None);
    }

    #[test]
    fn one_receiver_is_no_fan_out() {
        let mut fanout = Fanout::new(2);
        assert_eq!((fanout.add(span(&[130])), fanout.add(span(&[]))), (None, None));
        assert!(fanout.open.is_empty());
    }
}
