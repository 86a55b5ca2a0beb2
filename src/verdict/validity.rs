//! Whether the measurement describes the server, or only the machine that generated the load. Pure.
//!
//! The generator's own delays make a latency longer, never shorter. So a limit that was met is met. A limit that was missed
//! may have been missed because of these delays. If the requested rate was not reached, the figures belong to another load.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::thresholds::{Amount, Judged, Outcome};
use crate::measure::format::{count, counted, duration, share};
use crate::measure::{Figures, Series};
use crate::observe::{Counter, Metric};
use crate::threshold::{Limit, Subject, Threshold};

/// A thread that is busy for this share of its time cannot be relied on to be on time.
const BUSY: f64 = 0.95;

/// If fewer than this share of the due rounds were started, the load was not the one that was requested.
const REACHED: f64 = 0.95;

/// If other programs use more than this share of the processor time, clients and server may have waited for them.
const DISTURBED: f64 = 0.25;

/// A lag below this share of a measured value does not change the judgement on it.
const NOTABLE: f64 = 0.1;

/// What is known about the machine that generated the load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generator {
    /// The share of the measured part in which the worker thread with the highest load worked. None if the part was too short to know.
    pub busiest: Option<f64>,
    /// The share of this machine's processors that was taken by other programs than the generator and the server, over the
    /// measured part; absent where that is not known.
    pub others: Option<f64>,
    /// Connections that could not be made because this machine had no port left for them.
    pub without_port: u64,
    /// Connections that could not be made because this process may not open more files.
    pub without_file: u64,
    /// Whether the longest time allowed was over before the script was.
    pub out_of_time: bool,
    /// The sentence about the machine that was lost, if several made the load and one was.
    pub lost: Option<String>,
    /// How far the clocks of two machines may have been apart at worst, if several made the load.
    pub clocks: Option<Duration>,
}

/// The reasons for which a measurement may not be valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DoubtKind {
    /// The run reached its longest time before the script ended.
    OutOfTime,
    /// The machine had no port left for some connections.
    NoPort,
    /// The process may not open more files.
    NoFile,
    /// A thread of the load generator was busy nearly all the time.
    GeneratorBusy,
    /// Fewer rounds were begun than were due.
    RateNotReached,
    /// Other programs used much of the processor time.
    MachineShared,
    /// A limit was missed that might have been met without the delays of the load generator.
    OwnLag,
    /// One of the machines that made the load was dead or cut off.
    AgentLost,
    /// The clocks of the machines that made the load may be further apart than a limit allows.
    Clocks,
}

/// A reason for which the measurement may not be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Of which kind it is.
    pub kind: DoubtKind,
    /// What was seen, and what to change, as a sentence without its full stop.
    pub words: String,
    /// What it does to the verdict.
    pub weight: Weight,
}

/// What a doubt does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// None: the report shows it, and no threshold depends on it.
    Told,
    /// The run is not valid, unless something failed: what failed was the server.
    Light,
    /// The run is not valid, whatever failed: that may be the generator's fault.
    Grave,
}

/// All reasons for which the measurement may not be valid.
pub fn doubts(
    generator: &Generator,
    figures: &Figures,
    thresholds: &[Threshold],
    judged: &[Judged],
) -> Vec<Doubt> {
    let rests = thresholds.iter().any(|threshold| is_about_time(threshold.subject));
    let weight = |weight| if rests { weight } else { Weight::Told };
    let mut doubts = Vec::new();
    let mut doubt = |kind, weight, words: String| doubts.push(Doubt { kind, words, weight });
    if let Some(lost) = &generator.lost {
        doubt(DoubtKind::AgentLost, Weight::Grave, format!("{lost}; the figures end there"));
    }
    if let Some(apart) = generator.clocks {
        let limits =
            thresholds.iter().filter_map(|threshold| match (threshold.subject.metric()?, threshold.limit) {
                (Metric::Delivery | Metric::FanoutFirst | Metric::FanoutLast, Limit::Latency(limit)) => {
                    Some(limit)
                }
                _ => None,
            });
        if let Some(limit) = limits.min().filter(|limit| apart.as_secs_f64() > NOTABLE * limit.as_secs_f64())
        {
            let words = format!(
                "the clocks of two agents may have been {} apart, which is more than a tenth of the limit of {}: put agents and \
                 broker nearer to each other",
                duration(apart),
                duration(limit)
            );
            doubt(DoubtKind::Clocks, Weight::Grave, words);
        }
    }
    if generator.out_of_time {
        doubt(
            DoubtKind::OutOfTime,
            Weight::Grave,
            "the run reached its longest time before the script ended: raise `--max-time`".to_owned(),
        );
    }
    if generator.without_port > 0 {
        let failed = counted(generator.without_port, "connection");
        doubt(
            DoubtKind::NoPort,
            Weight::Grave,
            format!(
                "{failed} failed because this machine had no free port: add source addresses with `--source`"
            ),
        );
    }
    if generator.without_file > 0 {
        let failed = counted(generator.without_file, "connection");
        doubt(
            DoubtKind::NoFile,
            Weight::Grave,
            format!(
                "{failed} failed because this process reached its limit of open files: raise `ulimit -n`"
            ),
        );
    }
    let (due, begun) = (figures.counter(Counter::RoundsDue), figures.counter(Counter::RoundsBegun));
    let is_busy = generator.busiest.is_some_and(|busiest| busiest >= BUSY);
    let is_reached = begun as f64 >= REACHED * due as f64;
    if let Some(busiest) = generator.busiest.filter(|_| is_busy && due > 0) {
        let words = format!(
            "the load generator was the bottleneck: one of its threads was busy for {} of the time; lower the rate, \
             or use a machine with more processors",
            share((busiest.min(1.0) * 1e3).round() / 1e3)
        );
        doubt(DoubtKind::GeneratorBusy, weight(Weight::Grave), words);
    }
    if !is_reached {
        let words = format!(
            "the requested rate was not reached: {} of {} that were due were started; {}",
            count(begun),
            counted(due, "round"),
            match is_busy {
                true => "the load generator had no time for the others",
                false => "the clients were still waiting for the server; lower the rate, or use more clients",
            }
        );
        doubt(DoubtKind::RateNotReached, weight(if is_busy { Weight::Grave } else { Weight::Light }), words);
    }
    let is_slow = |(threshold, judged): (&Threshold, &Judged)| {
        judged.outcome == Outcome::Missed
            && threshold.subject.metric().is_some()
            && threshold.relation.is_upper()
    };
    let others = generator.others.filter(|others| *others > DISTURBED);
    if let Some(others) = others.filter(|_| thresholds.iter().zip(judged).any(is_slow)) {
        doubt(
            DoubtKind::MachineShared,
            Weight::Grave,
            format!(
                "other programs used {} of this machine's processor time: repeat the run when the machine is idle",
                share((others.min(1.0) * 100.0).round() / 100.0)
            ),
        );
    }
    for (threshold, judged) in thresholds.iter().zip(judged) {
        if let Some(lag) = lag_that_decides(threshold, judged, figures) {
            let words = format!(
                "{}: the load generator's own delay of {} may be the reason; \
                 lower the rate, or use a machine that is less busy",
                judged.sentence(),
                duration(lag)
            );
            doubt(DoubtKind::OwnLag, Weight::Grave, words);
        }
    }
    doubts
}

/// Whether a threshold asks how fast something was.
fn is_about_time(subject: Subject) -> bool {
    subject.metric().is_some() || matches!(subject, Subject::Rate(_))
}

/// How late the generator was, if a latency has missed its upper limit and would have met it without that.
fn lag_that_decides(threshold: &Threshold, judged: &Judged, figures: &Figures) -> Option<Duration> {
    let (Outcome::Missed, Some(Amount::Latency(value)), Limit::Latency(limit)) =
        (judged.outcome, judged.value, threshold.limit)
    else {
        return None;
    };
    let lag = figures.series(lag_of(threshold.subject.metric()?)?)?;
    let lag = at(threshold.subject, lag)?;
    let would_be_met = value.saturating_sub(lag) <= limit && threshold.relation.is_upper();
    (would_be_met && lag.as_secs_f64() >= NOTABLE * value.as_secs_f64()).then_some(lag)
}

/// The lag that is a part of this latency.
fn lag_of(metric: Metric) -> Option<Metric> {
    match metric {
        Metric::Ack | Metric::Response | Metric::Delivery => Some(Metric::Lag),
        Metric::Connect | Metric::Reconnect => Some(Metric::ConnectLag),
        _ => None,
    }
}

/// The same value of another series.
fn at(subject: Subject, series: &Series) -> Option<Duration> {
    match subject {
        Subject::Quantile(_, quantile) => series.quantile(quantile).flatten(),
        Subject::Mean(_) => series.mean(),
        Subject::Min(_) => series.min(),
        Subject::Max(_) => series.max(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
