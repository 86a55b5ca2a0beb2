//! How a run went over time, as data: one row for each interval, kept by column so that a result stays small.
//!
//! Made by [`super::collect()`], read by every renderer that draws. All columns of a [`Course`] have one entry for each
//! row; where nothing was measured in an interval, the entry is absent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::{Series, Taken};
use crate::observe::{Cause, Counter, Metric};
use crate::units::micros;
use crate::verdict::{Doubt, DoubtKind};

/// A run over time, in intervals of equal length; the last may be shorter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Course {
    /// How long an interval is. A long run has longer ones, so that there are never more than some thousands.
    pub interval_us: u64,
    /// The end of each interval, since the start of the run.
    pub at_us: Vec<u64>,
    /// Clients that some namespace has accepted, at the end of the interval.
    pub connected: Vec<u64>,
    /// Connects begun in the interval.
    pub connects_asked: Vec<u64>,
    /// Connects that were accepted.
    pub connects_ok: Vec<u64>,
    /// Connects that failed.
    pub connects_failed: Vec<u64>,
    /// Connections that the server or the network ended unasked.
    pub dropped: Vec<u64>,
    /// Connects that failed and connections that ended, by cause; only what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<CauseCourse>,
    /// Events sent.
    pub sent: Vec<u64>,
    /// Events received.
    pub received: Vec<u64>,
    /// Acknowledgements received.
    pub acks: Vec<u64>,
    /// Acknowledgements that did not come in time.
    pub acks_missed: Vec<u64>,
    /// Responses received.
    #[serde(default)]
    pub responses: Vec<u64>,
    /// Responses that did not come in time.
    #[serde(default)]
    pub responses_missed: Vec<u64>,
    /// Stamped messages received.
    pub deliveries: Vec<u64>,
    /// Bytes read.
    pub bytes_in: Vec<u64>,
    /// Bytes written.
    pub bytes_out: Vec<u64>,
    /// Paced actions that were due in the interval: the rate that was asked for.
    pub due: Vec<u64>,
    /// Paced actions that were begun: the rate that was achieved.
    pub begun: Vec<u64>,
    /// Checks that failed.
    pub failed: Vec<u64>,
    /// Acknowledgement round trips that ended in the interval.
    pub ack: Quantiles,
    /// Responses that came in the interval.
    #[serde(default)]
    pub response: Quantiles,
    /// Deliveries in the interval.
    pub delivery: Quantiles,
    /// How late the generator was.
    pub lag: Quantiles,
    /// Processor time of the generator, in processors: 1.5 is one and a half.
    pub generator_cpu: Vec<Option<f64>>,
    /// Processor time of the server, in processors, where we started it.
    pub server_cpu: Vec<Option<f64>>,
    /// Resident memory of the server in bytes, where we started it.
    pub server_memory: Vec<Option<u64>>,
}

/// How often connects failed, or connections ended, for one cause in each interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CauseCourse {
    /// Whose part it is: `connect failed`, `connect retried`, `connection dropped`.
    pub counter: String,
    /// The cause, one of a closed list.
    pub cause: String,
    /// How often.
    pub counts: Vec<u64>,
}

/// What is known of one interval.
#[derive(Clone, Copy, Debug)]
pub struct IntervalSample<'a> {
    /// When it ended, since the start of the run.
    pub end: Duration,
    /// Clients that were connected then.
    pub connected: u64,
    /// What was counted in it.
    pub figures: &'a Taken,
    /// Processor time of the generator.
    pub generator_cpu: Duration,
    /// Processor time of the server in it and its resident memory at its end, where they were sampled.
    pub server: Option<(Duration, u64)>,
}

/// The longest course; beyond, intervals are put together two by two. A test is over sooner.
const MOST_ROWS: usize = if cfg!(test) { 60 } else { 1_200 };

impl Course {
    /// An empty course with intervals of this length.
    pub fn new(interval: Duration) -> Course {
        Course { interval_us: micros(interval), ..Course::default() }
    }

    /// Adds the next interval.
    pub fn push(&mut self, row: &IntervalSample<'_>) {
        let began = self.at_us.last().copied().unwrap_or_default();
        let length = micros(row.end).saturating_sub(began).max(1) as f64;
        let share = |cpu: Duration| (cpu.as_micros() as f64 / length * 1e3).round() / 1e3;
        self.at_us.push(micros(row.end));
        self.connected.push(row.connected);
        for (column, counter) in self.counted() {
            column.push(row.figures.ever(counter));
        }
        for counter in Counter::WITH_CAUSES {
            row.figures.causes(counter).for_each(|(cause, number)| self.count_cause(counter, cause, number));
        }
        self.causes.iter_mut().for_each(|cause| cause.counts.resize(self.at_us.len(), 0));
        self.failed.push(row.figures.ever(Counter::ChecksFailed));
        for (quantiles, metric) in self.series() {
            quantiles.push(row.figures.whole_series(metric).as_ref());
        }
        self.generator_cpu.push(Some(share(row.generator_cpu)));
        self.server_cpu.push(row.server.map(|(cpu, _)| share(cpu)));
        self.server_memory.push(row.server.map(|(_, memory)| memory));
        if self.at_us.len() > MOST_ROWS {
            self.halve();
        }
    }

    /// Counts for the last row. Each cause has a column from its first time on, and nothing before.
    fn count_cause(&mut self, counter: Counter, cause: Cause, number: u64) {
        let (counter, cause) = (counter.name(), cause.words());
        let known = self.causes.iter().position(|one| one.counter == counter && one.cause == cause);
        let place = known.unwrap_or_else(|| {
            self.causes.push(CauseCourse {
                counter: counter.to_owned(),
                cause: cause.to_owned(),
                counts: Vec::new(),
            });
            self.causes.len() - 1
        });
        let counts = &mut self.causes[place].counts;
        counts.resize(self.at_us.len() - 1, 0);
        counts.push(number);
    }

    fn counted(&mut self) -> [(&mut Vec<u64>, Counter); 15] {
        [
            (&mut self.connects_asked, Counter::ConnectAsked),
            (&mut self.connects_ok, Counter::ConnectOk),
            (&mut self.connects_failed, Counter::ConnectFailed),
            (&mut self.dropped, Counter::Dropped),
            (&mut self.sent, Counter::Sent),
            (&mut self.received, Counter::Received),
            (&mut self.acks, Counter::AckReceived),
            (&mut self.acks_missed, Counter::AckMissed),
            (&mut self.responses, Counter::ResponseReceived),
            (&mut self.responses_missed, Counter::ResponseMissed),
            (&mut self.deliveries, Counter::DeliveryReceived),
            (&mut self.bytes_in, Counter::BytesIn),
            (&mut self.bytes_out, Counter::BytesOut),
            (&mut self.due, Counter::RoundsDue),
            (&mut self.begun, Counter::RoundsBegun),
        ]
    }

    fn series(&mut self) -> [(&mut Quantiles, Metric); 4] {
        [
            (&mut self.ack, Metric::Ack),
            (&mut self.response, Metric::Response),
            (&mut self.delivery, Metric::Delivery),
            (&mut self.lag, Metric::Lag),
        ]
    }

    /// Puts intervals together two by two.
    fn halve(&mut self) {
        self.interval_us *= 2;
        halved(&mut self.at_us, |_, second| second);
        halved(&mut self.connected, |_, second| second);
        self.counted().into_iter().for_each(|(column, _)| halved(column, |first, second| first + second));
        self.causes.iter_mut().for_each(|cause| halved(&mut cause.counts, |first, second| first + second));
        halved(&mut self.failed, |first, second| first + second);
        self.series().into_iter().for_each(|(quantiles, _)| quantiles.halve());
        let mean = |first: Option<f64>, second: Option<f64>| Some(f64::midpoint(first?, second?));
        halved(&mut self.generator_cpu, mean);
        halved(&mut self.server_cpu, mean);
        halved(&mut self.server_memory, Option::max);
    }
}

/// The column with its entries put together two by two; the last stays alone if they are odd.
fn halved<T: Copy>(column: &mut Vec<T>, together: impl Fn(T, T) -> T) {
    *column =
        column.chunks(2).map(|pair| pair.iter().copied().reduce(&together).unwrap_or(pair[0])).collect();
}

/// Percentiles of one series over time, in microseconds. Absent where the interval has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Quantiles {
    /// The medians.
    pub p50_us: Vec<Option<u64>>,
    /// 90 % were not longer.
    pub p90_us: Vec<Option<u64>>,
    /// 99 % were not longer.
    pub p99_us: Vec<Option<u64>>,
    /// The greatest.
    pub max_us: Vec<Option<u64>>,
    /// Each interval's values as an HdrHistogram of microseconds, V2 compressed, base64; absent without values. Two digits.
    pub histograms: Vec<Option<String>>,
}

impl Quantiles {
    fn push(&mut self, series: Option<&Series>) {
        let quantile = |quantile| series?.quantile(quantile)?.map(micros);
        self.p50_us.push(quantile(0.5));
        self.p90_us.push(quantile(0.9));
        self.p99_us.push(quantile(0.99));
        self.max_us.push(series.and_then(Series::max).map(micros));
        self.histograms.push(series.map(Series::encode_coarsely));
    }

    fn halve(&mut self) {
        let series: Vec<Option<Series>> = (0..self.max_us.len()).map(|row| self.series(row)).collect();
        let maxima = std::mem::take(&mut self.max_us);
        *self = Quantiles::default();
        for pair in series.chunks(2) {
            let both = pair.iter().flatten().cloned().reduce(|mut sum, series| {
                sum.merge(&series);
                sum
            });
            self.push(both.as_ref());
        }
        self.max_us = maxima.chunks(2).map(|pair| pair.iter().copied().flatten().max()).collect();
    }

    /// The values of one interval, to two digits. None where there are none, or where they were damaged.
    pub fn series(&self, row: usize) -> Option<Series> {
        let (text, max) = (self.histograms.get(row)?.as_deref()?, (*self.max_us.get(row)?)?);
        Series::decode_coarse(text, Duration::from_micros(max)).ok()
    }
}

/// A stretch of the run: `ramp`, `settle`, `measure`, `rest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PhaseResult {
    /// What it is called.
    pub name: String,
    /// When it began, since the start of the run.
    pub from_us: u64,
    /// When it ended.
    pub to_us: u64,
}

/// What the run cost the process that played the clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GeneratorResult {
    /// Threads that played the clients.
    pub workers: u32,
    /// Processor time of the whole process during the run.
    pub cpu_us: u64,
    /// The share of the measured part, from 0 to 1, in which the busiest worker worked; absent if the part was
    /// too short to know.
    pub busiest_worker: Option<f64>,
    /// Peak of resident memory in bytes.
    pub memory_peak: u64,
    /// Paced actions that were due in the measured part.
    pub due: u64,
    /// Paced actions that were begun.
    pub begun: u64,
    /// Why the measurement is in doubt.
    pub doubts: Vec<DoubtResult>,
}

/// A machine that played a part of the clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AgentResult {
    /// Its name.
    pub name: String,
    /// What its user said of it.
    pub labels: Vec<String>,
    /// Threads that played the clients.
    pub workers: u32,
    /// Clients that it had to play.
    pub clients: u64,
    /// How many of them were connected at most.
    pub connected: u64,
    /// Paced actions that were due.
    pub due: u64,
    /// Paced actions that were begun.
    pub begun: u64,
    /// How late it was with 99 % of its events; absent where it sent none.
    pub lag_p99_us: Option<u64>,
    /// Processor time of these threads.
    pub cpu_us: u64,
    /// How far its clock may have been from the coordinator's at worst.
    pub clock_doubt_us: u64,
}

/// How far the clocks of two agents may be apart, of which each may be off by so much. None where there is one agent.
pub(crate) fn clocks_apart(doubts: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut doubts: Vec<Duration> = doubts.collect();
    doubts.sort_unstable();
    (doubts.len() > 1).then(|| doubts.iter().rev().take(2).sum())
}

/// Why a measurement is in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DoubtResult {
    /// What was seen, one of a closed list.
    pub kind: DoubtKind,
    /// The same as a sentence without its full stop, with what to change.
    pub sentence: String,
}

impl DoubtResult {
    /// This doubt.
    pub fn of(doubt: &Doubt) -> DoubtResult {
        DoubtResult { kind: doubt.kind, sentence: doubt.words.clone() }
    }
}

/// What the run cost the server that we started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerResult {
    /// Processor time of all its processes during the run.
    pub cpu_us: u64,
    /// Processor time of all its processes during the measured part.
    pub cpu_measured_us: u64,
    /// Resident memory before the first client, in bytes.
    pub memory_before: u64,
    /// Peak of resident memory during the run, in bytes.
    pub memory_peak: u64,
    /// The same for each node, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeCost>,
}

/// What the run cost one node of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodeCost {
    /// Its name.
    pub name: String,
    /// Processor time of all its processes during the run.
    pub cpu_us: u64,
    /// Processor time of all its processes during the measured part.
    pub cpu_measured_us: u64,
    /// Resident memory before the first client, in bytes.
    pub memory_before: u64,
    /// Peak of resident memory during the run, in bytes.
    pub memory_peak: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Figures;
    use crate::observe::FailureKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn figures(acks: std::ops::Range<u64>) -> Taken {
        let mut figures = Figures::default();
        for millis in acks.clone() {
            figures.latency(Metric::Ack, Duration::from_millis(millis), true);
        }
        figures.count(Counter::AckReceived, acks.end - acks.start, true);
        figures.take()
    }

    fn course(rows: u32) -> Course {
        let mut course = Course::new(SECOND);
        for row in 0..rows {
            let figures = figures(u64::from(row % 100)..u64::from(row % 100) + 10);
            let server = Some((SECOND / 2, u64::from(row)));
            let generator_cpu = SECOND / 4;
            course.push(&IntervalSample {
                end: SECOND * (row + 1),
                connected: 7,
                figures: &figures,
                generator_cpu,
                server,
            });
        }
        course
    }

    #[test]
    fn each_second_is_a_row_with_its_own_percentiles() {
        let course = course(3);
        assert_eq!(course.at_us, [1_000_000, 2_000_000, 3_000_000]);
        assert_eq!(course.acks, [10, 10, 10]);
        assert_eq!(course.ack.max_us, [Some(9_000), Some(10_000), Some(11_000)]);
        assert_eq!((course.generator_cpu[2], course.server_cpu[2]), (Some(0.25), Some(0.5)));
        assert_eq!(course.delivery.p50_us, [None, None, None]);
        assert_eq!(course.ack.series(1).map(|series| series.count()), Some(10));
    }

    #[test]
    fn each_cause_has_a_column_of_its_own_that_is_as_long_as_the_others() {
        let mut course = Course::new(SECOND);
        for row in 0..=MOST_ROWS as u32 {
            let mut figures = Figures::default();
            if row % 2 == 1 {
                figures.miss(FailureKind::Connect(Cause::Refused));
                figures.miss(FailureKind::Dropped(Cause::NoPing, None));
            }
            let figures = figures.take();
            let end = SECOND * (row + 1);
            course.push(&IntervalSample {
                end,
                connected: 0,
                figures: &figures,
                generator_cpu: SECOND,
                server: None,
            });
            if row == 2 {
                let counts: Vec<&[u64]> = course.causes.iter().map(|cause| &*cause.counts).collect();
                assert_eq!(counts, [[0, 1, 0], [0, 1, 0]]);
            }
        }
        assert_eq!(
            (&*course.causes[0].counter, &*course.causes[1].counter),
            ("connect failed", "connection dropped")
        );
        for cause in &course.causes {
            assert_eq!(cause.counts.len(), course.at_us.len());
            assert_eq!(cause.counts.iter().sum::<u64>(), MOST_ROWS as u64 / 2);
        }
    }

    #[test]
    fn a_long_run_has_longer_intervals_and_loses_no_value() {
        let course = course(MOST_ROWS as u32 + 1);
        assert_eq!((course.interval_us, course.at_us.len()), (2_000_000, MOST_ROWS / 2 + 1));
        assert_eq!(course.acks.iter().sum::<u64>(), 10 * (MOST_ROWS as u64 + 1));
        let values: u64 =
            (0..course.at_us.len()).filter_map(|row| Some(course.ack.series(row)?.count())).sum();
        assert_eq!(values, 10 * (MOST_ROWS as u64 + 1));
        assert_eq!(course.ack.max_us[0], Some(10_000));
        for column in [&course.connected, &course.sent, &course.due, &course.failed] {
            assert_eq!(column.len(), course.at_us.len());
        }
    }
}
