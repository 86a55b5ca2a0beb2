//! The tally of one worker: takes observations, and merges with those of other workers.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::{Cause, Counter, Failure, FailureKind, LastFrames, Metric, Observer, StepId, Who};

use super::{Figures, Interval, Series, StepTally, Taken, Troubles};

/// Everything that was counted. Lives in one worker; observing is a plain call without a lock.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Those pass from machine to machine as [`Taken`].
    #[serde(skip)]
    figures: Figures,
    steps: Vec<StepTally>,
    troubles: Troubles,
    /// That passes by itself.
    #[serde(skip)]
    interval: Box<Interval>,
}

impl Tally {
    /// An empty tally. A metric takes memory from its first value on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds everything that `other` has counted.
    pub fn merge(&mut self, other: &Tally) {
        self.figures.add(&other.figures);
        if self.steps.len() < other.steps.len() {
            self.steps.resize_with(other.steps.len(), StepTally::default);
        }
        for (ours, theirs) in self.steps.iter_mut().zip(&other.steps) {
            ours.merge(theirs);
        }
        self.troubles.merge(&other.troubles);
        self.interval.merge(&other.interval);
    }

    /// Adds figures that were handed over before.
    pub fn add(&mut self, figures: &Figures) {
        self.figures.add(figures);
    }

    /// Adds figures that were taken out elsewhere.
    pub fn put(&mut self, taken: &Taken) {
        self.figures.put(taken);
    }

    /// Hands over the figures since the last call. Checks and troubles stay.
    pub fn take_figures(&mut self) -> Taken {
        self.figures.take()
    }

    /// The checks and troubles so far, without figures.
    pub fn story_so_far(&self) -> Tally {
        Tally { steps: self.steps.clone(), troubles: self.troubles.clone(), ..Tally::default() }
    }

    /// The series and counters.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The values of this metric in the measured part. None when there was not a single one.
    pub fn series(&self, metric: Metric) -> Option<&Series> {
        self.figures.series(metric)
    }

    /// How much was counted in the measured part.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.figures.counter(counter)
    }

    /// How much of this happened, in the whole run, that may not, unless a threshold allows it.
    pub fn misses(&self, counter: Counter) -> u64 {
        self.figures.misses(counter)
    }

    /// Takes one value. `is_measured`: it belongs to the measured part of the run.
    pub fn latency_of(&mut self, metric: Metric, value: Duration, is_measured: bool) {
        self.figures.latency(metric, value, is_measured);
        match metric {
            Metric::Ack => self.interval.ack.record(value),
            Metric::Response => self.interval.response.record(value),
            Metric::Delivery => self.interval.delivery.record(value),
            _ => {}
        }
    }

    /// Counts. `is_measured`: it belongs to the measured part of the run.
    pub fn count_of(&mut self, counter: Counter, by: u64, is_measured: bool) {
        self.figures.count(counter, by, is_measured);
        self.interval.counts[counter as usize] += by;
    }

    /// Takes an operation that did not succeed.
    pub fn missed_of(
        &mut self,
        step: StepId,
        who: Who,
        failure_kind: FailureKind,
        failure: Failure,
        is_measured: bool,
    ) {
        self.step_mut(step).miss(who, failure);
        self.figures.miss(failure_kind);
        self.interval.missed += 1;
        self.count_of(failure_kind.counter(), 1, is_measured);
    }

    /// A threshold on a group or a label decides about a failed check of this step, which was told before.
    pub fn allow_failed(&mut self, step: StepId) {
        self.step_mut(step).allowed += 1;
        self.figures.allow(Counter::ChecksFailed);
    }

    /// The same of something that did not succeed or went wrong.
    pub fn allow(&mut self, counter: Counter) {
        self.figures.allow(counter);
    }

    /// Counts an answer for the threshold with this number among those on arguments.
    pub fn answer(&mut self, number: usize, is_fitting: bool) {
        self.figures.answer(number, is_fitting);
    }

    /// The checks of this step. None when it made none and missed nothing.
    pub fn step(&self, id: StepId) -> Option<&StepTally> {
        self.steps.get(id.0 as usize).filter(|step| !step.is_empty())
    }

    /// The checks of every step that made some or missed something, in the order of the file.
    pub fn steps(&self) -> impl Iterator<Item = (StepId, &StepTally)> {
        (0..).map(StepId).zip(&self.steps).filter(|(_, step)| !step.is_empty())
    }

    /// Checks that held, in all steps together.
    pub fn passed_checks(&self) -> u64 {
        self.steps.iter().map(|step| step.passed).sum()
    }

    /// Checks that did not hold, in all steps together.
    pub fn failed_checks(&self) -> u64 {
        self.steps.iter().map(|step| step.failed).sum()
    }

    /// What went wrong without any step asking.
    pub fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// What was observed since the last call, for a live display. Leaves the tally itself as it is.
    pub fn take_interval(&mut self) -> Interval {
        std::mem::take(&mut *self.interval)
    }

    fn step_mut(&mut self, id: StepId) -> &mut StepTally {
        let index = id.0 as usize;
        if self.steps.len() <= index {
            self.steps.resize_with(index + 1, StepTally::default);
        }
        &mut self.steps[index]
    }
}

impl Observer for Tally {
    fn latency(&mut self, metric: Metric, value: Duration) {
        self.latency_of(metric, value, true);
    }

    fn count(&mut self, counter: Counter, by: u64) {
        self.count_of(counter, by, true);
    }

    fn retried(&mut self, cause: Cause) {
        self.figures.retry(cause);
        self.count(Counter::ConnectRetried, 1);
    }

    fn passed(&mut self, step: StepId, _who: Who) {
        self.step_mut(step).passed += 1;
        self.count(Counter::ChecksMade, 1);
        self.interval.passed += 1;
    }

    fn failed(&mut self, step: StepId, who: Who, failure: Failure) {
        self.step_mut(step).fail(who, failure);
        self.figures.fail();
        self.count(Counter::ChecksMade, 1);
        self.count(Counter::ChecksFailed, 1);
        self.interval.failed += 1;
    }

    fn missed(&mut self, step: StepId, who: Who, failure_kind: FailureKind, failure: Failure) {
        self.missed_of(step, who, failure_kind, failure, true);
    }

    fn wronged(
        &mut self,
        who: Who,
        failure_kind: FailureKind,
        cause: &str,
        detail: &str,
        wire: &LastFrames<'_>,
    ) {
        self.figures.miss(failure_kind);
        self.count(failure_kind.counter(), 1);
        self.troubles.add(who, Some(failure_kind), cause, detail, wire);
        self.interval.troubles += 1;
    }

    fn trouble(&mut self, who: Who, cause: &str, detail: &str, wire: &LastFrames<'_>) {
        self.troubles.add(who, None, cause, detail, wire);
        self.interval.troubles += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who = Who { group: 0, n: 0, index: 0 };

    fn failure() -> Failure {
        Failure {
            expected: "an answer".into(),
            actual: "silence".into(),
            wire: Vec::new(),
            after: None,
            grounds: Default::default(),
        }
    }

    fn some() -> Tally {
        let mut tally = Tally::new();
        tally.latency(Metric::Ack, Duration::from_millis(3));
        tally.latency(Metric::Connect, Duration::from_millis(4));
        tally.count(Counter::BytesIn, 100);
        tally.count(Counter::Sent, 1);
        tally.passed(StepId(4), WHO);
        tally.failed(StepId(2), WHO, failure());
        tally.trouble(WHO, "reset by peer", "after 3 s", &Vec::new);
        tally
    }

    #[test]
    fn the_lists_in_the_vocabulary_are_in_the_order_of_their_numbers() {
        assert!(Metric::ALL.iter().enumerate().all(|(index, metric)| *metric as usize == index));
        assert!(Counter::ALL.iter().enumerate().all(|(index, counter)| *counter as usize == index));
    }

    #[test]
    fn what_was_observed_is_what_is_counted() {
        let tally = some();
        assert_eq!(tally.series(Metric::Ack).map(Series::count), Some(1));
        assert_eq!(tally.counter(Counter::BytesIn), 100);
        assert_eq!((tally.passed_checks(), tally.failed_checks()), (1, 1));
        assert_eq!(tally.steps().map(|(id, _)| id.0).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(tally.step(StepId(2)).map(|step| step.failures.len()), Some(1));
        assert_eq!(tally.troubles().total(), 1);
    }

    #[test]
    fn an_operation_that_came_to_nothing_is_counted_and_kept_with_its_step() {
        let mut tally = some();
        tally.missed(StepId(9), WHO, FailureKind::Ack, failure());
        let mut merged = some();
        merged.merge(&tally);
        for tally in [tally, merged] {
            assert_eq!((tally.counter(Counter::AckMissed), tally.misses(Counter::AckMissed)), (1, 1));
            let step = tally.step(StepId(9)).expect("it missed something");
            assert_eq!((step.passed, step.failed, step.missed, step.failures.len()), (0, 0, 1, 1));
        }
    }

    #[test]
    fn each_failed_connect_and_each_ended_connection_has_its_cause_through_every_way_of_adding() {
        let mut tally = Tally::new();
        for (cause, times) in [(Cause::NoAnswer, 70), (Cause::Refused, 3)] {
            (0..times).for_each(|_| tally.missed(StepId(0), WHO, FailureKind::Connect(cause), failure()));
        }
        (0..9).for_each(|_| {
            tally.wronged(WHO, FailureKind::Dropped(Cause::NoPing, None), "it ended", "", &Vec::new)
        });
        (0..5).for_each(|_| tally.retried(Cause::Unreachable));
        tally.missed(StepId(1), WHO, FailureKind::Ack, failure());
        let mut sum = Figures::default();
        sum.add(tally.figures());
        sum.put(&tally.take_figures());
        let connects = [(Cause::NoAnswer, 140), (Cause::Refused, 6)];
        assert_eq!(sum.causes(Counter::ConnectFailed).collect::<Vec<_>>(), connects);
        assert_eq!(sum.causes(Counter::Dropped).collect::<Vec<_>>(), [(Cause::NoPing, 18)]);
        assert_eq!(sum.causes(Counter::ConnectRetried).collect::<Vec<_>>(), [(Cause::Unreachable, 10)]);
        assert_eq!(sum.misses(Counter::ConnectRetried), 0);
        assert_eq!(sum.causes(Counter::AckMissed).count(), 0);
        for counter in Counter::WITH_CAUSES {
            assert_eq!(sum.causes(counter).map(|(_, number)| number).sum::<u64>(), sum.ever(counter));
        }
    }

    #[test]
    fn a_metric_without_values_and_a_step_without_checks_are_absent() {
        let tally = some();
        assert!(tally.series(Metric::Delivery).is_none());
        assert_eq!(tally.step(StepId(3)), None);
        assert_eq!(tally.step(StepId(99)), None);
    }

    #[test]
    fn merging_adds_everything() {
        let mut merged = Tally::new();
        merged.merge(&some());
        let mut other = some();
        other.latency(Metric::Delivery, Duration::from_millis(9));
        other.passed(StepId(7), WHO);
        merged.merge(&other);
        assert_eq!(merged.series(Metric::Ack).map(Series::count), Some(2));
        assert_eq!(merged.series(Metric::Delivery).map(Series::count), Some(1));
        assert_eq!(merged.counter(Counter::BytesIn), 200);
        assert_eq!((merged.passed_checks(), merged.failed_checks()), (3, 2));
        assert_eq!(merged.troubles().total(), 2);
    }

    #[test]
    fn an_interval_tells_what_is_new_and_the_tally_keeps_everything() {
        let mut tally = some();
        let first = tally.take_interval();
        assert_eq!((first.count(Counter::Sent), first.passed, first.failed, first.troubles), (1, 1, 1, 1));
        assert!(first.ack.quantile(0.5).is_some() && first.delivery.quantile(0.5).is_none());
        assert_eq!(tally.take_interval(), Interval::default());
        assert_eq!(tally.counter(Counter::Sent), 1);
        tally.count(Counter::Sent, 5);
        assert_eq!(tally.take_interval().count(Counter::Sent), 5);
    }
}
