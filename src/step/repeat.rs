//! `repeat`: steps that recur, for each client at its own pace.
//!
//! With `every`, each round has a due time fixed by the schedule: a round that is late does not move the ones
//! after it, and latencies are told from the due time, so that a stalled server shows in the percentiles.

use std::time::{Duration, Instant};

use super::{Cx, Ears, Flow, Happening, Numbered, Progress, Reading, Running, Sequence, Step};
use crate::document::{Fields, Mistake, Node};
use crate::observe::Counter;
use crate::units;

/// How many rounds may follow each other at once before other clients get their turn.
const ROUNDS_AT_ONCE: u32 = 32;

/// More rounds that were not begun are not counted one by one.
const MOST_SKIPPED: u64 = 100_000;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `repeat`")?;
    let steps = fields.required("steps")?;
    let length = reading.positive_duration(&fields, "for")?;
    let times = match fields.optional("times") {
        Some(node) => Some(node.int_within(1..=1_000_000_000)?.unsigned_abs()),
        None => None,
    };
    let every = reading.positive_duration(&fields, "every")?;
    let jitter = fields.optional("jitter").map(units::share).transpose()?;
    fields.deny_others()?;
    if length.is_none() && times.is_none() {
        return Err(node.mistake("`repeat` does not say how often").hint("add `times: 10` or `for: 60s`"));
    }
    if let (Some(_), None, Some(at)) = (jitter, every, fields.optional("jitter")) {
        return Err(at.mistake("`jitter` shifts a pace, and there is none").hint("add `every: 1s`"));
    }
    let depth = reading.steps_in_round(steps)?;
    let jitter = jitter.map_or(0.0, |share| share.0);
    Ok(Box::new(Repeat { steps: depth, length, times, every, jitter }))
}

#[derive(Debug)]
struct Repeat {
    steps: Vec<Numbered>,
    length: Option<Duration>,
    times: Option<u64>,
    every: Option<Duration>,
    jitter: f64,
}

impl Step for Repeat {
    fn words(&self) -> String {
        let often = match (self.times, self.length) {
            (Some(times), Some(length)) => format!("up to {times} times for {length:?}"),
            (Some(times), None) => format!("{times} times"),
            (None, Some(length)) => format!("for {length:?}"),
            (None, None) => String::new(),
        };
        let pace = self.every.map(|every| format!(", every {every:?}")).unwrap_or_default();
        format!("repeats {often}{pace}")
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let outer = cx.actor.round;
        let mut repeating = Repeating {
            step: self,
            began: cx.due,
            end: self.length.map(|length| cx.now + length),
            round: 0,
            due: cx.due,
            free: cx.due,
            inner: None,
            outer,
        };
        repeating.plan(cx);
        match repeating.go(cx) {
            Flow::Done => Progress::Done,
            Flow::Waiting => Progress::waiting(repeating),
        }
    }

    fn hear(&self, ears: &mut Ears) {
        for numbered in &self.steps {
            numbered.step.hear(ears);
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

    fn messages(&self) -> Option<u64> {
        let rounds = match (self.times, self.length, self.every) {
            (Some(times), None, _) => Some(times),
            (times, Some(length), Some(every)) => {
                let rounds = length.as_nanos().div_ceil(every.as_nanos().max(1)) as u64;
                Some(times.map_or(rounds, |times| times.min(rounds)))
            }
            _ => None,
        };
        let each: Option<u64> = self.steps.iter().map(|numbered| numbered.step.messages()).sum();
        Some(rounds? * each?)
    }

    fn stamps(&self) -> bool {
        self.steps.iter().any(|numbered| numbered.step.stamps())
    }

    fn audit(&self, events: &mut Ears) {
        self.steps.iter().for_each(|numbered| numbered.step.audit(events));
    }
}

#[derive(Debug)]
struct Repeating<'p> {
    step: &'p Repeat,
    began: Instant,
    end: Option<Instant>,
    round: u64,
    /// When the round that is next, or under way, is due.
    due: Instant,
    /// When the round before it was over.
    free: Instant,
    inner: Option<Sequence<'p>>,
    /// The round of the `repeat` around this one, to be put back at the end.
    outer: u64,
}

impl<'p> Repeating<'p> {
    /// Fixes when the next round is due.
    fn plan(&mut self, cx: &Cx<'_, '_>) {
        let Some(every) = self.step.every else {
            self.due = cx.now;
            return;
        };
        let nanos = every.as_nanos() as u64;
        let mut offset = Duration::from_nanos(nanos.saturating_mul(self.round));
        if self.step.jitter > 0.0 {
            offset += Duration::from_secs_f64(every.as_secs_f64() * self.step.jitter * cx.actor.chance());
        }
        self.due = self.began + offset;
    }

    fn next(&mut self, cx: &Cx<'_, '_>) {
        self.round += 1;
        self.free = cx.now;
        self.plan(cx);
    }

    /// Counts the rounds whose time came and which were not begun, because the client was still busy at the end.
    fn skipped(&mut self, cx: &mut Cx<'_, '_>) {
        let Some(end) = self.end.filter(|_| self.step.every.is_some()) else { return };
        let mut skipped = 0;
        while self.due < end
            && self.step.times.is_none_or(|times| self.round < times)
            && skipped < MOST_SKIPPED
        {
            skipped += 1;
            self.round += 1;
            self.plan(cx);
        }
        cx.observer.count(Counter::RoundsDue, skipped);
    }

    fn is_over(&self, cx: &Cx<'_, '_>) -> bool {
        self.step.times.is_some_and(|times| self.round >= times)
            || self.end.is_some_and(|end| cx.now >= end || self.due >= end)
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
                cx.observer.trouble(
                    cx.actor.who,
                    "a `repeat` ended early because the client lost its connection",
                    &why,
                );
                return self.finish(cx);
            }
            cx.actor.round = self.round;
            if self.step.every.is_some() {
                cx.observer.count(Counter::RoundsDue, 1);
                cx.observer.count(Counter::RoundsBegun, 1);
            }
            let mut inner = Sequence::new(&self.step.steps, self.due, self.free);
            if inner.go(cx) == Flow::Waiting {
                self.inner = Some(inner);
                return Flow::Waiting;
            }
            self.next(cx);
        }
        Flow::Waiting
    }

    fn finish(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        cx.actor.round = self.outer;
        Flow::Done
    }
}

impl<'p> Running<'p> for Repeating<'p> {
    fn notice(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some(inner) = &mut self.inner {
            if inner.notice(cx, what) == Flow::Waiting {
                return Flow::Waiting;
            }
            self.inner = None;
            self.next(cx);
        }
        self.go(cx)
    }

    fn wake(&self) -> Option<Instant> {
        match &self.inner {
            Some(inner) => inner.wake(),
            None => Some(self.end.map_or(self.due, |end| end.min(self.due))),
        }
    }
}
