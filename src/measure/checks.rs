//! How often the checks of one step held and did not, with the first few failures in full.

use serde::{Deserialize, Serialize};

use crate::document::shortened;
use crate::observe::{Failure, Who, WireLine};

/// How many failures of one step are kept in full. All are counted.
pub const FAILURES_KEPT: usize = 5;

const TEXT: usize = 2_000;
const WIRE_LINES: usize = 32;
const WIRE_TEXT: usize = 400;

/// The checks of one step over all clients and all repetitions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepTally {
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not.
    pub failed: u64,
    /// Those of them about which a threshold on a group or a label decides.
    pub allowed: u64,
    /// Operations that did not succeed: a connect, an acknowledgement. Thresholds decide whether that fails the run.
    pub missed: u64,
    /// The first failures and misses, at most [`FAILURES_KEPT`] together, and who met them. One of them is of a client who
    /// remembers its frames, if any such failed.
    pub failures: Vec<(Who, Failure)>,
}

impl StepTally {
    /// Whether there is nothing to report about the step.
    pub(super) fn is_empty(&self) -> bool {
        self.passed + self.failed + self.missed == 0
    }

    /// Counts a failure and keeps it if it is among the first.
    pub(super) fn fail(&mut self, who: Who, failure: Failure) {
        self.failed += 1;
        self.keep(who, failure);
    }

    /// Counts an operation that did not succeed and keeps it if it is among the first.
    pub(super) fn miss(&mut self, who: Who, failure: Failure) {
        self.missed += 1;
        self.keep(who, failure);
    }

    fn keep(&mut self, who: Who, failure: Failure) {
        if self.failures.len() < FAILURES_KEPT {
            self.failures.push((who, bounded(failure)));
        } else if !failure.wire.is_empty() && self.failures.iter().all(|(_, kept)| kept.wire.is_empty()) {
            // Most clients of a crowd remember no frames: the first who does takes the last place.
            self.failures[FAILURES_KEPT - 1] = (who, bounded(failure));
        }
    }

    /// Adds what another worker saw of the same step.
    pub(super) fn merge(&mut self, other: &StepTally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.allowed += other.allowed;
        self.missed += other.missed;
        self.failures.extend(other.failures.iter().cloned());
        // Stable, so that one client's failures stay in the order in which they happened.
        self.failures.sort_by_key(|(who, _)| who.index);
        self.failures.truncate(FAILURES_KEPT);
    }
}

/// The failure with its texts and its wire log cut to what a person reads.
fn bounded(failure: Failure) -> Failure {
    Failure {
        expected: shortened(&failure.expected, TEXT),
        actual: shortened(&failure.actual, TEXT),
        wire: bounded_wire(&failure.wire),
        after: failure.after,
        grounds: failure.grounds,
    }
}

/// The latest frames, each cut to what a person reads.
pub(super) fn bounded_wire(wire: &[WireLine]) -> Vec<WireLine> {
    let from = wire.len().saturating_sub(WIRE_LINES);
    let shorten = |line: &WireLine| WireLine { text: shortened(&line.text, WIRE_TEXT), ..*line };
    wire[from..].iter().map(shorten).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn who(index: u32) -> Who {
        Who { group: 0, n: index, index }
    }

    fn failure(actual: &str) -> Failure {
        Failure {
            expected: "an answer".into(),
            actual: actual.into(),
            wire: Vec::new(),
            after: None,
            grounds: Default::default(),
        }
    }

    #[test]
    fn every_failure_is_counted_and_the_first_five_are_kept() {
        let mut step = StepTally::default();
        (0..1000).for_each(|n| step.fail(who(n), failure("silence")));
        assert_eq!(step.failed, 1000);
        assert_eq!(step.failures.iter().map(|(who, _)| who.n).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_first_client_who_remembers_its_frames_is_among_the_failures_however_late_it_comes() {
        let wire = vec![WireLine { at: Duration::ZERO, sent: true, text: "2".to_owned() }];
        let mut step = StepTally::default();
        (0..50).for_each(|n| step.fail(who(1000 + n), failure("silence")));
        [7, 3]
            .into_iter()
            .for_each(|n| step.miss(who(n), Failure { wire: wire.clone(), ..failure("silence") }));
        let kept = |step: &StepTally| step.failures.iter().map(|(who, _)| who.index).collect::<Vec<_>>();
        assert_eq!(kept(&step), [1000, 1001, 1002, 1003, 7]);
        let mut other = StepTally::default();
        (0..9).for_each(|n| other.fail(who(500 + n), failure("silence")));
        other.merge(&step);
        assert_eq!((kept(&other), other.failed + other.missed), (vec![7, 500, 501, 502, 503], 61));
    }

    #[test]
    fn merged_failures_do_not_depend_on_which_worker_comes_first() {
        let (mut a, mut b) = (StepTally::default(), StepTally::default());
        [9, 2, 7].into_iter().for_each(|n| a.fail(who(n), failure("silence")));
        [1, 8, 3].into_iter().for_each(|n| b.fail(who(n), failure("silence")));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab, ba);
        assert_eq!(ab.failed, 6);
        assert_eq!(ab.failures.iter().map(|(who, _)| who.n).collect::<Vec<_>>(), [1, 2, 3, 7, 8]);
    }

    #[test]
    fn a_failure_of_any_size_is_kept_small_with_the_latest_frames() {
        let mut step = StepTally::default();
        let line =
            |n: u32| WireLine { at: Duration::from_secs(n.into()), sent: false, text: "x".repeat(100_000) };
        step.fail(who(0), Failure { wire: (0..1000).map(line).collect(), ..failure(&"y".repeat(1_000_000)) });
        let (_, kept) = &step.failures[0];
        assert!(kept.actual.chars().count() <= TEXT);
        assert_eq!(kept.wire.len(), WIRE_LINES);
        assert_eq!(kept.wire[WIRE_LINES - 1].at, Duration::from_secs(999));
        assert!(kept.wire.iter().all(|line| line.text.chars().count() <= WIRE_TEXT));
    }
}
