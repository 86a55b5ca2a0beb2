//! What the script did to the server, and when the server was disturbed by that: written by operators, read by workers and by
//! whoever tells of the run.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::audit::{Disturbances, Moment};
use crate::scenario::{Change, Operation};

/// What was done to the server, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operated {
    /// In words.
    pub words: String,
    /// Whether it disturbs the server.
    pub disturbs: bool,
    /// When it began, since the start of the run.
    pub from: Duration,
    /// When it was done. None while it is under way, and where the end of the run cut it short.
    pub to: Option<Duration>,
    /// Why there was nothing to do, if so.
    pub needless: Option<&'static str>,
    /// Why it could not be done, if so.
    pub failure: Option<String>,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct DisturbedTimes {
    times: Mutex<Disturbances>,
    /// What was done, in the order in which it began.
    done: Mutex<Vec<Operated>>,
    /// Parts that were ended and are not there again, and links that are slow until they are restored.
    down: Mutex<BTreeSet<String>>,
    changes: AtomicU64,
    is_on: AtomicBool,
}

impl DisturbedTimes {
    /// Whether it is disturbed now.
    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Changes whenever a disturbed time begins or ends.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// All of them.
    pub(super) fn all(&self) -> Disturbances {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was done so far, and what is under way.
    pub(super) fn done(&self) -> Vec<Operated> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When it was disturbed up to this time.
    pub(super) fn until(&self, now: Duration) -> Vec<(Duration, Duration)> {
        let until =
            |(from, to): (Moment, Option<Moment>)| (from.into(), to.unwrap_or(from.max(now.into())).into());
        self.all().into_iter().map(until).collect()
    }

    /// Something begins. Its place in the list of all that was done.
    pub(super) fn note_begin(&self, operation: &Operation, from: Duration) -> usize {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push(Operated {
            words: operation.to_string(),
            disturbs: operation.disturbs(),
            from,
            to: None,
            needless: None,
            failure: None,
        });
        done.len() - 1
    }

    /// What is at that place is done, or there was nothing to do, or it has failed.
    pub(super) fn note_end(
        &self,
        place: usize,
        to: Duration,
        (needless, failure): (Option<&'static str>, Option<String>),
    ) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = &mut done[place];
        (ended.to, ended.needless, ended.failure) = (Some(to), needless, failure);
    }

    /// Takes over what somebody on another machine knows.
    pub(super) fn learn(&self, known: Disturbances) {
        self.is_on.store(known.iter().any(|(_, to)| to.is_none()), Ordering::Relaxed);
        *self.times.lock().unwrap_or_else(PoisonError::into_inner) = known;
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn begin(&self, now: Duration) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if !times.iter().any(|(_, to)| to.is_none()) {
            times.push((now.into(), None));
        }
        self.is_on.store(true, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Ends it, unless some node is down or some link is slow.
    pub(super) fn end(&self, now: Duration) {
        if !self.down.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.iter_mut().filter(|(_, to)| to.is_none()).for_each(|(_, to)| *to = Some(now.into()));
        self.is_on.store(false, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn note(&self, operation: &Operation) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        match operation {
            Operation::Stop(part) | Operation::Kill(part) => {
                down.insert(part.to_string());
            }
            Operation::Start(part) | Operation::Restart(part) => {
                down.remove(&part.to_string());
            }
            Operation::Link(name, change) if change.stays() => {
                down.insert(format!("link {name}"));
            }
            Operation::Link(name, Change::Restore) => {
                down.remove(&format!("link {name}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Part;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_disturbed_time_lasts_until_every_node_that_was_ended_is_there_again() {
        let times = DisturbedTimes::default();
        times.begin(second(1));
        times.note(&Operation::Kill(Part::Node("b".to_owned())));
        times.end(second(2));
        assert!(times.is_on());
        assert_eq!(times.all(), [(second(1).into(), None)]);
        times.begin(second(3));
        times.note(&Operation::Start(Part::Node("b".to_owned())));
        times.end(second(4));
        assert!(!times.is_on());
        times.begin(second(6));
        times.end(second(7));
        let all = [(1, 4), (6, 7)].map(|(from, to)| (Moment::from_secs(from), Some(Moment::from_secs(to))));
        assert_eq!(times.all(), all);
    }

    #[test]
    fn what_is_under_way_is_known_without_its_end() {
        let times = DisturbedTimes::default();
        let first = times.note_begin(&Operation::Rolling(second(1)), second(1));
        times.note_begin(&Operation::Whole(second(9)), second(2));
        times.note_end(first, second(3), (None, Some("no".to_owned())));
        let told: Vec<_> = times.done().into_iter().map(|one| (one.disturbs, one.to, one.failure)).collect();
        assert_eq!(told, [(true, Some(second(3)), Some("no".to_owned())), (false, None, None)]);
    }
}
