//! What the script does to the server, in threads of their own: the clients go on meanwhile.
//!
//! From the beginning of an act that disturbs the server until its health is restored, the time is *disturbed*: what goes wrong
//! then is told apart from the rest. It ends with the act; with the next wait for the server's health, where the same part of
//! the script has one; and not before every node that was ended is there again.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::disturbed::DisturbedTimes;
use super::orders::Crew;
use crate::plan::{Plan, PlannedAct};
use crate::scenario::Operation;
use crate::step::Markers;
use crate::threshold::WholeAfter;

/// How often it is looked whether the run is over while nothing else is to be done.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long the markers of a round may take before the next round is asked for, beside the time that news take to other machines and
/// back.
const ROUND: Duration = Duration::from_millis(500);

/// Does things to the server under test.
pub trait Operator: fmt::Debug + Sync {
    /// Does it, and returns when it is done. Gives up soon after `is_over` holds.
    ///
    /// # Errors
    /// In words, why it could not be done: a sentence without its full stop.
    fn operate(&self, operation: &Operation, is_over: &dyn Fn() -> bool) -> Result<Effect, String>;
}

/// What came of something that was to be done to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was done.
    Done,
    /// There was nothing to do: why, as it stands behind a colon.
    Needless(&'static str),
}

/// What an act's operations need.
pub(super) struct Bench<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) operator: Option<&'a dyn Operator>,
    pub(super) times: &'a DisturbedTimes,
    /// Who has to know of them.
    pub(super) crew: &'a dyn Crew,
    /// Set when the run is over.
    pub(super) is_over: &'a AtomicBool,
    /// Set when the run is to be stopped.
    pub(super) stop: &'a AtomicBool,
    /// How long it took until all nodes heard each other again, where a threshold asks.
    pub(super) whole_after: Mutex<Vec<WholeAfter>>,
}

/// Something was done to the server, and a threshold asks when all nodes hear each other again.
pub(super) struct Healing {
    /// Its place in the list of these times.
    place: usize,
    /// When it was done.
    since: Instant,
    /// The nodes at which somebody was before.
    occupied: BTreeSet<u16>,
}

impl Bench<'_> {
    /// Does everything of an act, one after another, from `due` on, and says whether all of it could be done. After a failure nothing
    /// more is done.
    pub(super) fn work(&self, act: &PlannedAct<'_>, mut due: Duration, watch: &dyn Fn(Healing)) -> bool {
        let mut is_well = true;
        // A node that the act kills first has to be there again, too.
        let mut occupied = BTreeSet::new();
        for operation in act.operations {
            let called = operation.called().filter(|called| self.is_asked(called));
            occupied.extend(self.plan.context.markers.iter().flat_map(Markers::occupied));
            if operation.disturbs() {
                // Everybody hears of it before it begins.
                self.times.begin(due);
                self.times.note(operation);
                self.crew.disturb(self.times.all());
            }
            self.await_due(due);
            let from = self.plan.context.epoch.elapsed();
            let noted =
                (!matches!(operation, Operation::Wait(_))).then(|| self.times.note_begin(operation, from));
            let outcome = self.operate(operation);
            let to = self.plan.context.epoch.elapsed();
            // What the end of the run has cut short stays under way.
            if self.is_over() {
                break;
            }
            if outcome.is_ok() && operation.is_await() {
                self.end(to);
            }
            due = to + self.crew.notice();
            let is_failed = outcome.is_err();
            let needless = match outcome {
                Ok(Effect::Needless(why)) => Some(why),
                _ => None,
            };
            // Of what was not done, nothing can be said that came after it.
            if let Some(after) = called.filter(|_| needless.is_none()) {
                let mut times = self.whole_after();
                times.push(WholeAfter { after, took: None });
                let place = times.len() - 1;
                drop(times);
                if !is_failed {
                    watch(Healing { place, since: Instant::now(), occupied: occupied.clone() });
                }
            }
            if let Some(noted) = noted {
                self.times.note_end(noted, to, (needless, outcome.err()));
            }
            if is_failed {
                is_well = false;
                break;
            }
        }
        if !act.is_awaited && act.operations.iter().any(Operation::disturbs) {
            self.end(self.plan.context.epoch.elapsed());
        }
        is_well
    }

    fn end(&self, now: Duration) {
        self.times.end(now);
        self.crew.disturb(self.times.all());
    }

    fn await_due(&self, due: Duration) {
        while !self.is_over() {
            let wait = due.saturating_sub(self.plan.context.epoch.elapsed());
            if wait.is_zero() {
                return;
            }
            thread::sleep(wait.min(LOOK_AGAIN));
        }
    }

    fn is_asked(&self, called: &str) -> bool {
        self.plan.thresholds.iter().any(|threshold| threshold.after.as_deref() == Some(called))
    }

    /// What is known so far.
    pub(super) fn whole_after(&self) -> MutexGuard<'_, Vec<WholeAfter>> {
        self.whole_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all nodes hear each other at which somebody was, and notes how long that took.
    pub(super) fn see_healed(&self, healing: &Healing) {
        let Some(markers) = &self.plan.context.markers else {
            // One node has nobody to hear: it is whole when it answers.
            self.whole_after()[healing.place].took = Some(healing.since.elapsed());
            return;
        };
        while !self.is_over() {
            let rounds = self.crew.ask_for_markers(markers);
            let next = Instant::now() + ROUND + self.crew.notice() * 4;
            while Instant::now() < next && !self.is_over() {
                if healing.occupied.is_subset(&markers.occupied()) && Markers::silent(&rounds).is_none() {
                    let took = healing.since.elapsed();
                    self.whole_after()[healing.place].took = Some(took);
                    return;
                }
                thread::sleep(LOOK_AGAIN);
            }
        }
    }

    fn operate(&self, operation: &Operation) -> Result<Effect, String> {
        match (operation, self.operator) {
            (Operation::Wait(length), _) => {
                let until = Instant::now() + *length;
                while Instant::now() < until && !self.is_over() {
                    thread::sleep(LOOK_AGAIN.min(until.saturating_duration_since(Instant::now())));
                }
                Ok(Effect::Done)
            }
            (Operation::Whole(within), _) => self.await_whole(*within).map(|()| Effect::Done),
            (_, Some(operator)) => operator.operate(operation, &|| self.is_over()),
            (_, None) => Err(format!("failed to {operation}: only a run can do that to a server")),
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.stop.load(Ordering::Relaxed)
    }

    /// Waits until markers of each node have reached all others at which somebody is.
    fn await_whole(&self, within: Duration) -> Result<(), String> {
        let Some(markers) = &self.plan.context.markers else { return Ok(()) };
        let until = Instant::now() + within;
        loop {
            let rounds = self.crew.ask_for_markers(markers);
            let next = Instant::now() + ROUND + self.crew.notice() * 4;
            let silent = loop {
                let silent = Markers::silent(&rounds);
                if silent.is_none() || Instant::now() >= next.min(until) || self.is_over() {
                    break silent;
                }
                thread::sleep(LOOK_AGAIN);
            };
            match silent {
                None => return Ok(()),
                Some((from, to)) if Instant::now() >= until => {
                    let [from, to] = [from, to].map(|node| self.plan.context.node_name(node));
                    return Err(format!(
                        "the nodes did not hear each other within {within:?}: no broadcast from node {from} reached node {to}"
                    ));
                }
                Some(_) if self.is_over() => return Ok(()),
                Some(_) => {}
            }
        }
    }
}
