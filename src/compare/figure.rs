//! The figures in which servers are compared, and how they are read from a run.
//!
//! Few on purpose: every further figure makes the correction for many of them stricter for all.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::judge::Figures;
use crate::measure::{Series, format};
use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::course::{Course, Quantiles};
use crate::statistics::warm_up::warm_up;

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    /// The smaller one.
    Less,
    /// The larger one.
    More,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Microseconds.
    Time,
    /// Times per second.
    Rate,
    /// Microseconds of a processor for each message, which are seconds for each million.
    Processor,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// A value for people.
    pub(crate) fn words(self, value: f64) -> String {
        let whole = |value: f64| value.round().max(0.0) as u64;
        match self {
            Unit::Time => format::measured(std::time::Duration::from_micros(whole(value))),
            Unit::Rate => format::rate(value),
            Unit::Processor => format::measured(std::time::Duration::from_secs_f64(value.clamp(0.0, 1e9))),
            Unit::Bytes => format::bytes(whole(value)),
        }
    }
}

/// A figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Which value is better.
    pub better: Better,
    reading: Reading,
}

#[derive(Clone, Copy, Debug)]
enum Reading {
    /// A percentile of a series; the last number is how many values it takes.
    Quantile(Metric, f64, u64),
    /// How many of a series a second.
    PerSecond(Metric),
    /// Processor time of the server for a million of what it is there for.
    Processor,
    /// Memory of the server beyond what it had at first, for each connection.
    Memory,
}

/// All figures, in the order in which they are shown.
pub(crate) const KINDS: [Kind; 12] = [
    time("connect p50", Reading::Quantile(Metric::Connect, 0.5, 20)),
    time("ack p50", Reading::Quantile(Metric::Ack, 0.5, 20)),
    time("ack p99", Reading::Quantile(Metric::Ack, 0.99, 1000)),
    time("response p50", Reading::Quantile(Metric::Response, 0.5, 20)),
    time("response p99", Reading::Quantile(Metric::Response, 0.99, 1000)),
    time("delivery p50", Reading::Quantile(Metric::Delivery, 0.5, 20)),
    time("delivery p99", Reading::Quantile(Metric::Delivery, 0.99, 1000)),
    Kind { name: "acks", unit: Unit::Rate, better: Better::More, reading: Reading::PerSecond(Metric::Ack) },
    Kind {
        name: "responses",
        unit: Unit::Rate,
        better: Better::More,
        reading: Reading::PerSecond(Metric::Response),
    },
    Kind {
        name: "deliveries",
        unit: Unit::Rate,
        better: Better::More,
        reading: Reading::PerSecond(Metric::Delivery),
    },
    Kind { name: "cpu", unit: Unit::Processor, better: Better::Less, reading: Reading::Processor },
    Kind { name: "memory", unit: Unit::Bytes, better: Better::Less, reading: Reading::Memory },
];

const fn time(name: &'static str, reading: Reading) -> Kind {
    Kind { name, unit: Unit::Time, better: Better::Less, reading }
}

/// The figure of that name.
pub(crate) fn kind(name: &str) -> Option<Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The figures of a run, without the first `cut` intervals, its warm-up. Figures without data are left out.
pub(crate) fn of(run: &RunResult, cut: usize) -> Figures {
    let view = View::new(run, cut);
    KINDS
        .iter()
        .filter_map(|kind| Some((kind.name.to_owned(), view.read(kind.reading)?)))
        .filter(|(_, value)| value.is_finite())
        .collect()
}

/// A latency series of a run, without the first `cut` intervals, its warm-up.
pub(crate) fn series(run: &RunResult, cut: usize, metric: Metric) -> Option<Series> {
    View::new(run, cut).series(metric)
}

/// How many intervals of a run's course are its warm-up. Nothing where the scenario says itself what is measured.
pub(crate) fn intervals_of_warm_up(run: &RunResult) -> usize {
    let Some(course) = run.course.as_ref().filter(|_| run.phases.is_empty()) else { return 0 };
    let told = |medians: &&Vec<Option<u64>>| medians.iter().any(Option::is_some);
    let all = [&course.delivery.p50_us, &course.ack.p50_us, &course.response.p50_us];
    let medians = all.into_iter().find(told).unwrap_or(&course.ack.p50_us);
    // What comes before the first message is part of the warm-up, what comes after the last is not of interest.
    let first = medians.iter().position(Option::is_some).unwrap_or(0);
    let values: Vec<f64> = medians.iter().flatten().map(|micros| *micros as f64).collect();
    match warm_up(&values) {
        0 => 0,
        cut => first + cut,
    }
}

/// A run, and the part of it that counts.
struct View<'a> {
    run: &'a RunResult,
    course: Option<&'a Course>,
    rows: Range<usize>,
    cut: usize,
}

impl<'a> View<'a> {
    fn new(run: &'a RunResult, cut: usize) -> Self {
        let course = run.course.as_ref();
        let ends = course.map_or(&[][..], |course| &course.at_us);
        let rows = match run.phases.iter().find(|phase| phase.name == "measure") {
            None => cut.min(ends.len())..ends.len(),
            Some(phase) => {
                let begin = |row: usize| row.checked_sub(1).map_or(0, |before| ends[before]);
                let first = (0..ends.len()).find(|row| begin(*row) >= phase.from_us).unwrap_or(ends.len());
                let after = ends.iter().filter(|end| **end <= phase.to_us).count();
                first.min(after)..after
            }
        };
        Self { run, course, rows, cut }
    }

    fn read(&self, reading: Reading) -> Option<f64> {
        match reading {
            Reading::Quantile(metric, share, needed) => self.quantile(metric, share, needed),
            Reading::PerSecond(metric) => self.rate(metric),
            Reading::Processor => self.processor(),
            Reading::Memory => self.memory(),
        }
    }

    fn quantile(&self, metric: Metric, share: f64, needed: u64) -> Option<f64> {
        let series = self.series(metric)?;
        let value = series.quantile(share).flatten().filter(|_| series.count() >= needed)?;
        Some(value.as_micros() as f64)
    }

    /// A series without the warm-up, where its course is known.
    fn series(&self, metric: Metric) -> Option<Series> {
        if let Some((_, quantiles)) = self.columns(metric).filter(|_| self.cut > 0) {
            let mut all = Series::new();
            self.rows.clone().filter_map(|row| quantiles.series(row)).for_each(|one| all.merge(&one));
            return Some(all);
        }
        self.run.metric(metric)?.series().ok()
    }

    fn rate(&self, metric: Metric) -> Option<f64> {
        if let Some((counts, _)) = self.columns(metric).filter(|_| self.cut > 0) {
            let count: u64 = counts.get(self.rows.clone())?.iter().sum();
            return (count > 0).then(|| count as f64 / self.seconds());
        }
        let count = self.run.metric(metric)?.count;
        let time = if self.run.measured_us > 0 { self.run.measured_us } else { self.run.duration_us };
        (count > 0).then(|| count as f64 * 1e6 / time as f64)
    }

    /// For each delivery. Without deliveries it is for each acknowledgement or response, and without those
    /// for each connect.
    fn processor(&self) -> Option<f64> {
        const MILLION: f64 = 1e6;
        let work = |kinds: [u64; 4]| kinds.into_iter().find(|count| *count > 0);
        if let Some(course) = self.course.filter(|_| !self.rows.is_empty()) {
            let sum = |counts: &[u64]| counts.get(self.rows.clone()).map_or(0, |counts| counts.iter().sum());
            let used: f64 = self
                .rows
                .clone()
                .filter_map(|row| Some((*course.server_cpu.get(row)?)? * self.length(row)))
                .sum();
            let work = work(
                [&course.deliveries, &course.acks, &course.responses, &course.connects_ok]
                    .map(|counts| sum(counts)),
            )?;
            return (used > 0.0).then(|| used * MILLION / work as f64);
        }
        let count = |metric: Metric| self.run.metric(metric).map_or(0, |metric| metric.count);
        let used = self.run.server.as_ref()?.cpu_us;
        let work = work([Metric::Delivery, Metric::Ack, Metric::Response, Metric::Connect].map(count))?;
        (used > 0).then(|| used as f64 / work as f64)
    }

    fn memory(&self) -> Option<f64> {
        let server = self.run.server.as_ref()?;
        let connected = self.course.and_then(|course| course.connected.iter().copied().max());
        let connected = connected.unwrap_or(self.run.clients());
        let grown = server.memory_peak.checked_sub(server.memory_before).filter(|grown| *grown > 0)?;
        (connected > 0).then(|| grown as f64 / connected as f64)
    }

    fn columns(&self, metric: Metric) -> Option<(&[u64], &Quantiles)> {
        let course = self.course.filter(|_| !self.rows.is_empty())?;
        match metric {
            Metric::Ack => Some((&course.acks, &course.ack)),
            Metric::Response => Some((&course.responses, &course.response)),
            Metric::Delivery => Some((&course.deliveries, &course.delivery)),
            _ => None,
        }
    }

    fn seconds(&self) -> f64 {
        self.rows.clone().map(|row| self.length(row)).sum()
    }

    fn length(&self, row: usize) -> f64 {
        let Some(course) = self.course else { return 0.0 };
        let before = row.checked_sub(1).map_or(0, |before| course.at_us[before]);
        course.at_us[row].saturating_sub(before) as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::run;
    use super::*;

    #[test]
    fn a_run_has_the_figures_for_which_it_has_data() {
        let figures = of(&run(1.0, 10), 0);
        let names: Vec<&str> = figures.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["ack p50", "acks", "cpu", "deliveries", "delivery p50", "delivery p99", "memory"],
            "the acks are too few for a p99, and nothing is known of connects"
        );
        assert_eq!(figures["deliveries"], 200.0);
        assert_eq!(figures["memory"], 50_000.0);
        // Half a processor for 200 deliveries a second.
        assert_eq!(figures["cpu"].round(), 2500.0);
    }

    #[test]
    fn where_nobody_speaks_the_processor_time_is_told_for_the_connects() {
        let mut silent = run(1.0, 10);
        let course = silent.course.as_mut().expect("the example has one");
        let nothing = vec![0; course.at_us.len()];
        (course.deliveries, course.acks) = (nothing.clone(), nothing);
        assert!(!of(&silent, 0).contains_key("cpu"));
        let course = silent.course.as_mut().expect("the example has one");
        course.connects_ok = vec![100; course.at_us.len()];
        assert_eq!(of(&silent, 0)["cpu"].round(), 5000.0, "half a processor for a hundred connects a second");
    }

    #[test]
    fn the_warm_up_is_found_and_left_out() {
        let slow = run(4.0, 2);
        assert_eq!(intervals_of_warm_up(&slow), 2);
        let (all, rest) = (of(&slow, 0), of(&slow, 2));
        assert!(all["delivery p99"] > 3.0 * rest["delivery p99"], "{all:?} {rest:?}");
        assert_eq!(rest["deliveries"], 200.0);
        assert_eq!(intervals_of_warm_up(&run(1.0, 10)), 0);
    }

    #[test]
    fn values_are_told_in_their_unit() {
        assert_eq!(Unit::Time.words(1234.0), "1.23 ms");
        assert_eq!(Unit::Rate.words(200.0), "200/s");
        assert_eq!(Unit::Processor.words(12.3456), "12.3 s");
        assert_eq!(Unit::Bytes.words(20_480.0), "20.5 kB");
    }
}
