//! Thresholds against what was counted.

use std::fmt;
use std::time::Duration;

use crate::measure::{Series, Tally, human};
use crate::observe::{Counter, Metric};

/// How many samples must lie beyond a percentile before a verdict rests on it.
///
/// A p99 of 200 samples is decided by two of them. With ten beyond, chance moves the share beyond the limit by
/// about a third, which is the least that deserves a yes or no.
pub const SAMPLES_BEYOND: u64 = 10;

/// How many samples a verdict on this quantile (0 to 1) needs: p50 20, p90 100, p99 1,000, p99.9 10,000.
pub fn samples_needed(quantile: f64) -> u64 {
    let beyond = (1.0 - quantile.clamp(0.0, 1.0)).max(1e-9);
    (SAMPLES_BEYOND as f64 / beyond).round() as u64
}

/// What a threshold asks about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Subject {
    /// A quantile (0 to 1) of a latency series; compared with [`Amount::Latency`].
    Quantile(Metric, f64),
    /// The mean of a latency series.
    Mean(Metric),
    /// The least value of a latency series.
    Min(Metric),
    /// The greatest value of a latency series.
    Max(Metric),
    /// A counter; compared with [`Amount::Count`].
    Count(Counter),
    /// A counter as a share of what could have been counted; compared with [`Amount::Share`].
    Share(Counter),
}

/// How value and limit must relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The value is less than the limit.
    Less,
    /// The value is at most the limit.
    AtMost,
    /// The value is the limit.
    Equal,
    /// The value is not the limit.
    NotEqual,
    /// The value is at least the limit.
    AtLeast,
    /// The value is greater than the limit.
    Greater,
}

impl Relation {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Relation::Less => value < limit,
            Relation::AtMost => value <= limit,
            Relation::Equal => value == limit,
            Relation::NotEqual => value != limit,
            Relation::AtLeast => value >= limit,
            Relation::Greater => value > limit,
        }
    }

    fn is_upper(self) -> bool {
        matches!(self, Relation::Less | Relation::AtMost)
    }
}

/// One demand on the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As its author wrote it.
    pub text: String,
    /// What it asks about.
    pub subject: Subject,
    /// How the value must relate to the limit.
    pub relation: Relation,
    /// The limit, of the kind that fits the subject.
    pub limit: Amount,
}

/// A measured value or a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A duration.
    Latency(Duration),
    /// A duration beyond what the histogram tells apart ([`crate::measure::HIGHEST`]).
    Beyond,
    /// A number of things.
    Count(u64),
    /// A share from 0 to 1.
    Share(f64),
}

impl Amount {
    /// The bare number, in [`Amount::unit`]; infinite when it is beyond.
    pub fn number(self) -> f64 {
        match self {
            Amount::Latency(value) => value.as_nanos() as f64 / 1e3,
            Amount::Beyond => f64::INFINITY,
            Amount::Count(value) => value as f64,
            Amount::Share(value) => value,
        }
    }

    /// What the bare number counts.
    pub fn unit(self) -> &'static str {
        match self {
            Amount::Latency(_) | Amount::Beyond => "us",
            Amount::Count(_) => "count",
            Amount::Share(_) => "share",
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Latency(value) => f.write_str(&human::measured(*value)),
            Amount::Beyond => f.write_str("more than 2 min"),
            Amount::Count(value) => f.write_str(&human::count(*value)),
            Amount::Share(value) => f.write_str(&human::share(*value)),
        }
    }
}

/// What became of a threshold.
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
    pub limit: Amount,
    /// What became of it.
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
                human::count(self.samples),
                human::count(self.needed),
            ),
            (Outcome::Met | Outcome::Missed, Some(value)) => format!("{text}: {value}"),
        }
    }
}

/// Compares each threshold with what was counted, in their order.
pub fn judge_thresholds(thresholds: &[Threshold], tally: &Tally) -> Vec<Judged> {
    thresholds.iter().map(|threshold| judge(threshold, tally)).collect()
}

fn judge(threshold: &Threshold, tally: &Tally) -> Judged {
    let (value, samples, needed) = measured(threshold.subject, tally);
    let holds = value.is_some_and(|value| threshold.relation.holds(value.number(), threshold.limit.number()));
    let outcome = match value {
        None => Outcome::NoData,
        Some(_) if samples < needed && !surely_missed(threshold, tally) => Outcome::TooFew,
        Some(_) if holds => Outcome::Met,
        Some(_) => Outcome::Missed,
    };
    Judged { text: threshold.text.clone(), value, limit: threshold.limit, outcome, samples, needed }
}

/// The value, the number of samples behind it, and the number that it takes.
fn measured(subject: Subject, tally: &Tally) -> (Option<Amount>, u64, u64) {
    let of = |metric, value: &dyn Fn(&Series) -> Option<Amount>| {
        let series = tally.series(metric);
        (series.and_then(value), series.map_or(0, Series::count))
    };
    let counted = |counter, value: &dyn Fn(u64, u64) -> Amount| {
        let (part, whole) = (tally.counter(counter), tally.counter(basis(counter)));
        let whole = whole.max(part);
        ((whole > 0).then(|| value(part, whole)), whole)
    };
    let mut needed = 1;
    let (value, samples) = match subject {
        Subject::Quantile(metric, quantile) => {
            needed = samples_needed(quantile);
            of(metric, &|series| Some(series.quantile(quantile)?.map_or(Amount::Beyond, Amount::Latency)))
        }
        Subject::Mean(metric) => of(metric, &|series| series.mean().map(Amount::Latency)),
        Subject::Min(metric) => of(metric, &|series| series.min().map(Amount::Latency)),
        Subject::Max(metric) => of(metric, &|series| series.max().map(Amount::Latency)),
        Subject::Count(counter) => counted(counter, &|part, _| Amount::Count(part)),
        Subject::Share(counter) => counted(counter, &|part, whole| Amount::Share(part as f64 / whole as f64)),
    };
    (value, samples, needed)
}

/// Ten samples beyond the limit are as much as the rule asks for, however few there are in all: they settle
/// that the percentile is beyond it too.
fn surely_missed(threshold: &Threshold, tally: &Tally) -> bool {
    let (Subject::Quantile(metric, _), Amount::Latency(limit)) = (threshold.subject, threshold.limit) else {
        return false;
    };
    let beyond = tally.series(metric).map_or(0, |series| series.count_above(limit));
    threshold.relation.is_upper() && beyond >= SAMPLES_BEYOND
}

/// What has to have happened before a count of this says anything: no failed connect among no connects is no data.
fn basis(counter: Counter) -> Counter {
    match counter {
        Counter::ConnectAsked | Counter::ConnectOk | Counter::ConnectFailed => Counter::ConnectAsked,
        Counter::AckAsked | Counter::AckReceived | Counter::AckMissed => Counter::AckAsked,
        Counter::Dropped
        | Counter::Sent
        | Counter::Received
        | Counter::DeliveryReceived
        | Counter::Heartbeats
        | Counter::BytesIn
        | Counter::BytesOut => Counter::ConnectOk,
    }
}
