//! Thresholds against what was counted.

use std::fmt;
use std::time::Duration;

use crate::audit::{Fault, Findings};
use crate::measure::{Figures, Series, Tally, format};
use crate::observe::{Counter, Metric};
use crate::threshold::{Counted, Limit, SAMPLES_BEYOND, Subject, Threshold, WholeAfter, samples_needed};

/// Everything that was measured in a run.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// What was counted, merged over all workers.
    pub tally: &'a Tally,
    /// The figures of single groups and labels, in the order of [`crate::scenario::Scenario::asked`].
    pub parts: &'a [Figures],
    /// What the audit of the deliveries found, if there was one.
    pub deliveries: Option<&'a Findings>,
    /// How long the measured part took, for rates of what was said.
    pub duration: Duration,
    /// How long the run took, for rates of everything else.
    pub whole: Duration,
    /// How long it took after what was done to the server until all nodes heard each other again.
    pub whole_after: &'a [WholeAfter],
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A duration.
    Latency(Duration),
    /// A duration beyond the range of the histogram ([`crate::measure::HIGHEST`]).
    Beyond,
    /// It did not happen.
    Never,
    /// A number of things.
    Count(u64),
    /// A number per second.
    Rate(f64),
    /// A share from 0 to 1.
    Share(f64),
}

impl Amount {
    /// The bare number in the unit of [`Limit::number`]; infinite when it is beyond.
    pub fn number(self) -> f64 {
        match self {
            Amount::Latency(value) => value.as_nanos() as f64 / 1e3,
            Amount::Beyond | Amount::Never => f64::INFINITY,
            Amount::Count(value) => value as f64,
            Amount::Rate(value) | Amount::Share(value) => value,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Latency(value) => f.write_str(&format::measured(*value)),
            Amount::Beyond => f.write_str("more than 2 min"),
            Amount::Never => f.write_str("never"),
            Amount::Count(value) => f.write_str(&format::count(*value)),
            Amount::Rate(value) => f.write_str(&format::rate(*value)),
            Amount::Share(value) => f.write_str(&format::share(*value)),
        }
    }
}

/// Whether a threshold was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Met,
    /// It does not.
    Missed,
    /// There was not a single sample. Counts as missed.
    NoData,
    /// There were samples, but not enough for this percentile.
    TooFew,
}

/// A threshold with what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// As its author wrote it.
    pub text: String,
    /// What was measured. None without data.
    pub value: Option<Amount>,
    /// The limit.
    pub limit: Limit,
    /// Whether it was met.
    pub outcome: Outcome,
    /// How many samples the value rests on.
    pub samples: u64,
    /// How many it needs. At least one.
    pub needed: u64,
}

impl Judged {
    /// The threshold and what was found, as one sentence: `ack p99 < 20 ms: 31 ms`.
    pub fn sentence(&self) -> String {
        let text = &self.text;
        match (self.outcome, self.value) {
            (Outcome::NoData, _) | (_, None) => format!("{text}: no data"),
            (Outcome::TooFew, Some(_)) => format!(
                "{text}: too few samples for this percentile, {} of {} needed; run longer or with more clients",
                format::count(self.samples),
                format::count(self.needed),
            ),
            (Outcome::Met | Outcome::Missed, Some(value)) => format!("{text}: {value}"),
        }
    }
}

/// Compares each threshold with what was measured, in their order.
pub fn judge_thresholds(thresholds: &[Threshold], measured: &Measured<'_>) -> Vec<Judged> {
    thresholds.iter().map(|threshold| judge(threshold, measured)).collect()
}

fn judge(threshold: &Threshold, measured: &Measured<'_>) -> Judged {
    let nothing = Figures::default();
    let figures = match &threshold.of {
        None => measured.tally.figures(),
        Some(of) => measured.parts.get(of.part).unwrap_or(&nothing),
    };
    let Reading { value, samples } = read(threshold, figures, measured);
    let beyond = beyond(threshold, figures);
    let needed = match threshold.subject {
        Subject::Quantile(_, quantile) => samples_needed(quantile, beyond == Some(0)),
        _ => 1,
    };
    // Ten samples beyond the limit are as much as the rule asks for, however few there are in all: they settle that
    // the percentile is beyond it too.
    let surely_missed = beyond.is_some_and(|beyond| beyond >= SAMPLES_BEYOND);
    let holds = value.is_some_and(|value| threshold.relation.holds(value.number(), threshold.limit.number()));
    let outcome = match value {
        None => Outcome::NoData,
        Some(_) if samples < needed && !surely_missed => Outcome::TooFew,
        Some(_) if holds => Outcome::Met,
        Some(_) => Outcome::Missed,
    };
    Judged { text: threshold.text.clone(), value, limit: threshold.limit, outcome, samples, needed }
}

/// How many samples lie beyond the upper limit of a percentile. None for other thresholds.
fn beyond(threshold: &Threshold, figures: &Figures) -> Option<u64> {
    match (threshold.subject, threshold.limit) {
        (Subject::Quantile(metric, _), Limit::Latency(limit)) if threshold.relation.is_upper() => {
            Some(figures.series(metric).map_or(0, |series| series.count_above(limit)))
        }
        _ => None,
    }
}

/// A value and the number of samples behind it.
struct Reading {
    value: Option<Amount>,
    samples: u64,
}

fn read(threshold: &Threshold, figures: &Figures, measured: &Measured<'_>) -> Reading {
    let of = |metric, value: &dyn Fn(&Series) -> Option<Amount>| {
        let series = figures.series(metric);
        Reading { value: series.and_then(value), samples: series.map_or(0, Series::count) }
    };
    let counted = |(part, whole): (u64, u64), value: &dyn Fn(f64, f64) -> Option<Amount>| Reading {
        value: if whole > 0 { value(part as f64, whole as f64) } else { None },
        samples: whole,
    };
    let counts = |what| counts(what, figures, measured.deliveries);
    // A label has no connects of its own, and that nothing was said under it is something to know.
    let known = |what| (counts(what).0, counts(what).1.max(chances(what, measured)));
    match threshold.subject {
        Subject::Whole => {
            let of_it = |one: &&WholeAfter| Some(&one.after) == threshold.after.as_ref();
            let times: Vec<Option<Duration>> =
                measured.whole_after.iter().filter(of_it).map(|one| one.took).collect();
            let longest = times.iter().copied().reduce(|one, other| Some(one?.max(other?)));
            let value = longest.map(|time| time.map_or(Amount::Never, Amount::Latency));
            Reading { value, samples: times.len() as u64 }
        }
        Subject::Matching(_, number) => {
            // Of a group or a label they are counted alone.
            let answers = measured.tally.figures().answers(number);
            counted((answers.fitting, answers.all), &|part, whole| match threshold.limit {
                Limit::Share(_) => Some(Amount::Share(part / whole)),
                _ => Some(Amount::Count(part as u64)),
            })
        }
        Subject::Quantile(metric, quantile) => {
            of(metric, &|series| Some(series.quantile(quantile)?.map_or(Amount::Beyond, Amount::Latency)))
        }
        Subject::Mean(metric) => of(metric, &|series| series.mean().map(Amount::Latency)),
        Subject::Min(metric) => of(metric, &|series| series.min().map(Amount::Latency)),
        Subject::Max(metric) => of(metric, &|series| series.max().map(Amount::Latency)),
        Subject::Samples(metric) => {
            counted(samples(metric, figures), &|part, _| Some(Amount::Count(part as u64)))
        }
        Subject::Count(what) => counted(known(what), &|part, _| Some(Amount::Count(part as u64))),
        Subject::Rate(what) => {
            let is_traffic = matches!(what, Counted::Counter(counter) if counter.is_traffic());
            let seconds = if is_traffic { measured.duration } else { measured.whole }.as_secs_f64();
            counted(known(what), &|part, _| (seconds > 0.0).then(|| Amount::Rate(part / seconds)))
        }
        Subject::Share(what) => counted(counts(what), &|part, whole| Some(Amount::Share(part / whole))),
    }
}

/// How often it happened, out of how often it could have: no failed connect among no connects is no data.
fn counts(what: Counted, figures: &Figures, deliveries: Option<&Findings>) -> (u64, u64) {
    let (part, whole) = match (what, deliveries) {
        (Counted::Counter(counter), _) => (figures.counter(counter), figures.counter(basis(counter))),
        (Counted::Fault(_) | Counted::Undisturbed(_), None) => (0, 0),
        (Counted::Undisturbed(fault), Some(deliveries)) => {
            let whole = match fault {
                Fault::Leaked => deliveries.forbidden,
                _ => deliveries.expected.saturating_sub(deliveries.disturbed.expected),
            };
            (deliveries.undisturbed(fault), whole)
        }
        (Counted::Fault(fault), Some(deliveries)) => {
            let whole = if fault == Fault::Leaked { deliveries.forbidden } else { deliveries.expected };
            (deliveries.fault(fault), whole)
        }
    };
    (part, whole.max(part))
}

fn samples(metric: Metric, figures: &Figures) -> (u64, u64) {
    let count = figures.series(metric).map_or(0, Series::count);
    (count, figures.counter(Counter::ConnectOk).max(count))
}

/// How often this could have happened in the whole run, the measured part of it or not.
pub(super) fn chances(what: Counted, measured: &Measured<'_>) -> u64 {
    match what {
        Counted::Counter(counter) => measured.tally.figures().ever(basis(counter)),
        Counted::Fault(_) | Counted::Undisturbed(_) => {
            counts(what, measured.tally.figures(), measured.deliveries).1
        }
    }
}

/// What has to have happened before a count of this says anything.
fn basis(counter: Counter) -> Counter {
    match counter {
        Counter::ConnectAsked
        | Counter::ConnectOk
        | Counter::ConnectFailed
        | Counter::ConnectRefused
        | Counter::ConnectRetried => Counter::ConnectAsked,
        Counter::AckAsked | Counter::AckReceived | Counter::AckMissed => Counter::AckAsked,
        Counter::ResponseAsked | Counter::ResponseReceived | Counter::ResponseMissed => {
            Counter::ResponseAsked
        }
        Counter::Dropped
        | Counter::Violations
        | Counter::Sent
        | Counter::Received
        | Counter::DeliveryReceived
        | Counter::Heartbeats
        | Counter::BytesIn
        | Counter::BytesOut
        | Counter::Fences
        | Counter::FencesOfOneNode => Counter::ConnectOk,
        Counter::RoundsDue | Counter::RoundsBegun => Counter::RoundsDue,
        Counter::ChecksMade | Counter::ChecksFailed => Counter::ChecksMade,
    }
}
