//! `repeat`: steps that recur, for each client at its own pace.
//!
//! With `every`, each round has a due time fixed by the schedule: a round that is late does not move the ones
//! after it, and latencies count from the due time, so that a stalled server shows in the percentiles.

use std::time::{Duration, Instant};

use super::pace::{self, Dues, Pace};
use super::schema::{self, Schema, Shape, named};
use super::{Cx, EventFilter, Flow, Happening, Numbered, Progress, Reading, Running, Sequence, Step};
use crate::document::{Fields, Mistake, Node};
use crate::observe::Counter;

/// How many rounds may follow each other at once before other clients get their turn.
const ROUNDS_AT_ONCE: u32 = 32;

/// More rounds that were not begun are not counted one by one.
const MOST_SKIPPED: u64 = 100_000;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `repeat`")?;
    let steps = fields.required("steps")?;
    let length = reading.positive_duration(&fields, "for")?.map(|length| reading.prolonged(length));
    let times = match fields.optional("times") {
        Some(node) => Some(node.int_within(1..=1_000_000_000)?.unsigned_abs()),
        None => None,
    };
    let pace = Pace::read(&fields, reading)?;
    fields.deny_others()?;
    if length.is_none() && times.is_none() {
        return Err(node.mistake("`repeat` does not say how often").hint("add `times: 10` or `for: 60s`"));
    }
    let steps = reading.steps_in_round(steps)?;
    Ok(Box::new(Repeat { steps, length, times, pace }))
}

pub(super) fn schema() -> Schema {
    let shape = Shape::new("Steps that recur, for each client at its own pace.")
        .needs("steps", named("steps"), "A step, or a list of steps.")
        .takes("times", schema::whole(1..=1_000_000_000), "How many rounds.")
        .takes("for", schema::time(), "How long.");
    pace::shape(shape).any_of(&["times", "for"]).schema()
}

#[derive(Debug)]
struct Repeat {
    steps: Vec<Numbered>,
    length: Option<Duration>,
    times: Option<u64>,
    pace: Pace,
}

impl Step for Repeat {
    fn words(&self) -> String {
        let often = match (self.times, self.length) {
            (Some(times), Some(length)) => format!("up to {times} times for {length:?}"),
            (Some(times), None) => format!("{times} times"),
            (None, Some(length)) => format!("for {length:?}"),
            (None, None) => String::new(),
        };
        format!("repeats {often}{}", self.pace.words())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let mut dues = self.pace.begin(cx);
        let mut repeating = Repeating {
            step: self,
            end: self.length.map(|length| cx.now + length),
            // The schedule counts from when the step was due, and its end as well, or there would be one round more.
            last: self
                .length
                .map(|length| if self.pace.is_set() { cx.due + length } else { cx.now + length }),
            round: 0,
            due: dues.next(0, cx.now),
            free: cx.due,
            dues,
            inner: None,
            outer: cx.actor.round,
        };
        match repeating.go(cx) {
            Flow::Done => Progress::Done,
            Flow::Waiting => Progress::waiting(repeating),
        }
    }

    fn filter(&self, filter: &mut EventFilter) {
        for numbered in &self.steps {
            numbered.step.filter(filter);
        }
    }

    fn inner(&self) -> &[Numbered] {
        &self.steps
    }

    fn judges(&self) -> bool {
        self.steps.iter().any(|numbered| numbered.step.judges())
    }

    fn stands_alone(&self) -> bool {
        self.steps.first().is_some_and(|numbered| numbered.step.stands_alone())
    }

    fn lasts(&self) -> Duration {
        let inside = super::lasts(&self.steps);
        let each = self.pace.distance().max(inside);
        let all = self.times.map(|times| each.saturating_mul(u32::try_from(times).unwrap_or(u32::MAX)));
        [all, self.length].into_iter().flatten().min().unwrap_or_default()
    }

    fn messages(&self) -> Option<u64> {
        let rounds = match (self.times, self.length.map(|length| self.pace.rounds_in(length))) {
            (times, None) => times,
            (times, Some(rounds)) => rounds.map(|rounds| times.map_or(rounds, |times| times.min(rounds))),
        };
        let each: Option<u64> = self.steps.iter().map(|numbered| numbered.step.messages()).sum();
        Some(rounds?.saturating_mul(each?))
    }

    fn plays(&self) -> Option<u64> {
        let by_pace = self.length.and_then(|length| self.pace.rounds_in(length));
        [self.times, by_pace].into_iter().flatten().min()
    }

    fn rounds(&self) -> f64 {
        let inside = self.steps.iter().map(|numbered| numbered.step.rounds());
        self.pace.rounds().unwrap_or_else(|| inside.fold(0.0, f64::max))
    }

    fn stamps(&self) -> bool {
        self.steps.iter().any(|numbered| numbered.step.stamps())
    }

    fn audit(&self, events: &mut EventFilter) {
        self.steps.iter().for_each(|numbered| numbered.step.audit(events));
    }
}

#[derive(Debug)]
struct Repeating<'p> {
    step: &'p Repeat,
    /// When none is begun any more.
    end: Option<Instant>,
    /// When none is due any more.
    last: Option<Instant>,
    round: u64,
    /// When the round that is next, or under way, is due.
    due: Instant,
    /// When the round before it was over.
    free: Instant,
    dues: Dues<'p>,
    inner: Option<Sequence<'p>>,
    /// The round of the `repeat` around this one, to be put back at the end.
    outer: u64,
}

impl<'p> Repeating<'p> {
    /// Counts the rounds whose time came and which were not begun, because the client was still busy at the end.
    fn skipped(&mut self, cx: &mut Cx<'_, '_>) {
        let Some(last) = self.last.filter(|_| self.step.pace.is_set()) else { return };
        let mut skipped = 0;
        while self.due < last
            && self.step.times.is_none_or(|times| self.round < times)
            && skipped < MOST_SKIPPED
        {
            skipped += 1;
            self.plan(cx);
        }
        cx.observer.count(Counter::RoundsDue, skipped);
    }

    fn is_over(&self, cx: &Cx<'_, '_>) -> bool {
        self.step.times.is_some_and(|times| self.round >= times)
            || self.end.is_some_and(|end| cx.now >= end)
            || self.last.is_some_and(|last| self.due >= last)
    }

    fn go(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        for _ in 0..ROUNDS_AT_ONCE {
            if self.is_over(cx) {
                self.skipped(cx);
                return self.finish(cx);
            }
            if self.due > cx.now {
                return Flow::Waiting;
            }
            if cx.actor.session.is_closed() && !self.step.stands_alone() {
                let why = cx.why_not_connected("/");
                let actor = &*cx.actor;
                cx.observer.trouble(
                    actor.who,
                    "a `repeat` ended early because the client lost its connection",
                    &why,
                    &|| actor.wire_log(),
                );
                return self.finish(cx);
            }
            if self.begin_round(cx) == Flow::Waiting {
                return Flow::Waiting;
            }
            self.finish_round(cx);
        }
        Flow::Waiting
    }

    /// Begins the round that is due: the only place where one begins.
    fn begin_round(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        cx.actor.round = self.round;
        if self.step.pace.is_set() {
            cx.observer.count(Counter::RoundsDue, 1);
            cx.observer.count(Counter::RoundsBegun, 1);
        }
        let mut inner = Sequence::new(&self.step.steps, self.due, self.free);
        let flow = inner.go(cx);
        if flow == Flow::Waiting {
            self.inner = Some(inner);
        }
        flow
    }

    fn finish_round(&mut self, cx: &Cx<'_, 'p>) {
        self.free = cx.now;
        self.plan(cx);
    }

    /// Gives the next round its due time.
    fn plan(&mut self, cx: &Cx<'_, '_>) {
        self.round += 1;
        self.due = self.dues.next(self.round, cx.now);
    }

    fn finish(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        cx.actor.round = self.outer;
        Flow::Done
    }
}

impl<'p> Running<'p> for Repeating<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some(inner) = &mut self.inner {
            if inner.handle(cx, what) == Flow::Waiting {
                return Flow::Waiting;
            }
            self.inner = None;
            self.finish_round(cx);
        }
        self.go(cx)
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        if let Some(inner) = &mut self.inner {
            inner.abandon(cx);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.inner {
            Some(inner) => inner.poll_timeout(),
            None => Some(self.end.map_or(self.due, |end| end.min(self.due))),
        }
    }
}
