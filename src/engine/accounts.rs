//! What the workers hand over each second, added up: each second by itself, and the run so far. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::Findings;
use crate::measure::{Audited, Figures, Taken, Tally};
use crate::observe::Counter;

/// How long a second is.
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What one worker hands over about one second, or about several in which it was too busy to report.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// Which worker.
    pub(crate) worker: usize,
    /// How many whole seconds of the run are over.
    pub(crate) seconds: u64,
    /// Series and counters since the last one.
    pub(crate) figures: Taken,
    /// The same for the single groups and labels that some threshold asks about.
    pub(crate) parts: Vec<Taken>,
    /// Checks and troubles so far.
    pub(crate) script_info: Tally,
    /// What the audit has found so far, if there is one.
    pub(crate) findings: Option<Findings>,
    /// How many of its clients are connected.
    pub(crate) live: u64,
    /// Processor time since the last one.
    pub(crate) cpu: Duration,
}

#[cfg(test)]
impl Handover {
    /// That of a worker without clients.
    pub(crate) fn of(worker: usize, seconds: u64, figures: Taken) -> Handover {
        let (parts, script_info) = (Vec::new(), Tally::new());
        Handover {
            worker,
            seconds,
            figures,
            parts,
            script_info,
            findings: None,
            live: 0,
            cpu: Duration::ZERO,
        }
    }
}

/// One second of the run, of all workers.
#[derive(Debug, Default)]
pub struct Second {
    /// When it ended, since the start of the run.
    pub end: Duration,
    /// Series and counters.
    pub figures: Taken,
    /// How many clients were connected at its end.
    pub live: u64,
    /// Processor time of all workers.
    pub cpu: Duration,
    /// That of the busiest.
    pub busiest: Duration,
}

/// The run so far.
#[derive(Debug)]
pub struct Accounts {
    total: Figures,
    parts: Vec<Figures>,
    latest: Vec<Latest>,
    /// Seconds that not every worker has reported yet.
    open: VecDeque<Second>,
    /// How many seconds are complete.
    complete: u64,
}

#[derive(Debug, Default)]
struct Latest {
    seconds: u64,
    script_info: Tally,
    findings: Option<Findings>,
    live: u64,
}

impl Accounts {
    pub(crate) fn new(workers: usize, parts: usize) -> Accounts {
        Accounts {
            total: Figures::default(),
            parts: vec![Figures::default(); parts],
            latest: (0..workers).map(|_| Latest::default()).collect(),
            open: VecDeque::new(),
            complete: 0,
        }
    }

    /// Takes what a worker hands over. Gives the seconds that every worker has reported now.
    pub(crate) fn take(&mut self, handover: Handover) -> Vec<Second> {
        let Handover { worker, seconds, figures, parts, script_info, findings, live, cpu } = handover;
        self.total.put(&figures);
        self.parts.iter_mut().zip(&parts).for_each(|(sum, part)| sum.put(part));
        while self.complete + (self.open.len() as u64) < seconds {
            let end = SECOND * u32::try_from(self.complete + self.open.len() as u64 + 1).unwrap_or(u32::MAX);
            self.open.push_back(Second { end, ..Second::default() });
        }
        let place = seconds.saturating_sub(self.complete + 1) as usize;
        if let Some(second) = self.open.get_mut(place) {
            second.figures.add(figures);
            second.cpu += cpu;
            second.busiest = second.busiest.max(cpu);
        }
        self.latest[worker] = Latest { seconds, script_info, findings, live };
        let all = self.latest.iter().map(|latest| latest.seconds).min().unwrap_or_default();
        let live = self.latest.iter().map(|latest| latest.live).sum();
        let mut told = Vec::new();
        while self.complete < all {
            let Some(second) = self.open.pop_front() else { break };
            self.complete += 1;
            told.push(Second { live, ..second });
        }
        told
    }

    /// Everything that was counted up to the last second.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::new();
        tally.add(&self.total);
        tally.merge(&self.stories());
        tally
    }

    /// The checks and troubles up to the last second.
    pub(super) fn stories(&self) -> Tally {
        let mut tally = Tally::new();
        self.latest.iter().for_each(|latest| tally.merge(&latest.script_info));
        tally
    }

    /// How much of this happened so far that may not, unless a threshold allows it.
    pub fn misses(&self, counter: Counter) -> u64 {
        self.total.misses(counter)
    }

    /// The figures of the groups and labels that some threshold asks about, in the order of the plan.
    pub fn parts(&self) -> &[Figures] {
        &self.parts
    }

    /// What the audit has found up to the last second, in two numbers for a display. Nothing is copied for it.
    pub fn audited(&self) -> Option<Audited> {
        let of = |found: &Findings| Audited { expected: found.expected, wrong: found.faults.iter().sum() };
        let found = self.latest.iter().filter_map(|latest| latest.findings.as_ref()).map(of);
        found.reduce(|sum, more| Audited {
            expected: sum.expected + more.expected,
            wrong: sum.wrong + more.wrong,
        })
    }

    /// What the audit has found up to the last second.
    pub fn findings(&self) -> Option<Findings> {
        self.latest.iter().filter_map(|latest| latest.findings.clone()).reduce(|mut sum, found| {
            sum.merge(found);
            sum
        })
    }

    /// The figures that were handed over, and the seconds that were never complete, summed up into one.
    pub(super) fn close(self) -> (Figures, Vec<Figures>, Vec<Second>) {
        (self.total, self.parts, self.open.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handover(worker: usize, seconds: u64, sent: u64) -> Handover {
        let mut figures = Figures::default();
        figures.count(Counter::Sent, sent, true);
        let cpu = Duration::from_millis(100 * (worker as u64 + 1));
        Handover { live: 10, cpu, ..Handover::of(worker, seconds, figures.take()) }
    }

    fn sent(seconds: &[Second]) -> Vec<u64> {
        seconds.iter().map(|second| second.figures.ever(Counter::Sent)).collect()
    }

    #[test]
    fn what_was_audited_is_added_up_over_all_workers() {
        let mut accounts = Accounts::new(3, 0);
        assert!(accounts.audited().is_none());
        for (worker, expected) in [(0, 100), (2, 7)] {
            let mut findings = Findings { expected, ..Findings::default() };
            findings.faults[worker] = 2;
            accounts.take(Handover { findings: Some(findings), ..handover(worker, 1, 0) });
        }
        assert_eq!(accounts.audited().map(|found| (found.expected, found.wrong)), Some((107, 4)));
    }

    #[test]
    fn a_second_is_told_when_every_worker_has_told_of_it() {
        let mut accounts = Accounts::new(2, 0);
        assert!(accounts.take(handover(0, 1, 5)).is_empty());
        assert!(accounts.take(handover(0, 2, 6)).is_empty());
        let told = accounts.take(handover(1, 1, 7));
        assert_eq!(sent(&told), [12]);
        assert_eq!((told[0].live, told[0].end), (20, SECOND));
        assert_eq!((told[0].cpu, told[0].busiest), (Duration::from_millis(300), Duration::from_millis(200)));
        assert_eq!(sent(&accounts.take(handover(1, 2, 8))), [14]);
        assert_eq!(accounts.tally().counter(Counter::Sent), 26);
    }

    #[test]
    fn a_worker_that_could_not_speak_holds_up_the_seconds_and_loses_nothing() {
        let mut accounts = Accounts::new(2, 0);
        (1..=3).for_each(|second| assert!(accounts.take(handover(0, second, 1)).is_empty()));
        assert_eq!(sent(&accounts.take(handover(1, 3, 50))), [1, 1, 51]);
        assert!(accounts.take(handover(0, 4, 9)).is_empty());
        let (total, _, open) = accounts.close();
        assert_eq!((total.counter(Counter::Sent), sent(&open).as_slice()), (62, &[9][..]));
    }
}
