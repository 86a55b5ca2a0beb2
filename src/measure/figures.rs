//! The series and counters of a stretch of time: what a worker hands over each second, and what they add up to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::{Cause, Counter, FailureKind, Metric};

use super::{Handful, Series};

/// Series and counters. Adding two gives what one would have seen.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    series: [Option<Box<Series>>; Metric::ALL.len()],
    /// What was counted outside of the measured part: shown in the course of the run, and nowhere else.
    beside: [Option<Box<Series>>; Metric::ALL.len()],
    counts: Counts,
}

/// What was counted beside series.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Counts {
    measured: [u64; Counter::ALL.len()],
    ever: [u64; Counter::ALL.len()],
    missed: [u64; Counter::ALL.len()],
    /// Connects that failed.
    unconnected: ByCause,
    /// Tries of connects that were followed by another.
    retried: ByCause,
    /// Connections that ended unasked.
    dropped: ByCause,
    /// How many answers there were for each threshold on their arguments, and how many of them were as it says.
    answers: Vec<Answers>,
}

/// How many answers there were in the measured part, and how many of them had the arguments that some threshold names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// All.
    pub all: u64,
    /// Those.
    pub fitting: u64,
}

/// How often something had each cause.
type ByCause = [u64; Cause::ALL.len()];

impl Counts {
    /// How often this counter counted, with the causes. Nothing for counters without causes.
    fn causes(&self, counter: Counter) -> impl Iterator<Item = (Cause, u64)> + '_ {
        let by_cause: &[u64] = match counter {
            Counter::ConnectFailed => &self.unconnected,
            Counter::ConnectRetried => &self.retried,
            Counter::Dropped => &self.dropped,
            _ => &[],
        };
        Cause::ALL.into_iter().zip(by_cause.iter().copied()).filter(|(_, number)| *number > 0)
    }

    fn add(&mut self, other: &Counts) {
        let pairs = [
            (&mut self.measured, &other.measured),
            (&mut self.ever, &other.ever),
            (&mut self.missed, &other.missed),
        ];
        for (ours, theirs) in pairs {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
        let by_cause = [
            (&mut self.unconnected, &other.unconnected),
            (&mut self.retried, &other.retried),
            (&mut self.dropped, &other.dropped),
        ];
        for (ours, theirs) in by_cause {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
        if self.answers.len() < other.answers.len() {
            self.answers.resize(other.answers.len(), Answers::default());
        }
        for (ours, theirs) in self.answers.iter_mut().zip(&other.answers) {
            ours.all += theirs.all;
            ours.fitting += theirs.fitting;
        }
    }
}

/// The figures of a second or so, in little memory: what a worker hands over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Taken {
    /// Each with whether it belongs to the measured part.
    series: Vec<(Metric, bool, Handful)>,
    counts: Counts,
}

impl Taken {
    /// All values of this metric, in the measured part and outside of it.
    pub fn whole_series(&self, metric: Metric) -> Option<Series> {
        let mut whole = None;
        for (_, _, handful) in self.series.iter().filter(|(of, ..)| *of == metric) {
            whole.get_or_insert_with(Series::new).put(handful);
        }
        whole
    }

    /// How much was counted, in the measured part and outside of it.
    pub fn ever(&self, counter: Counter) -> u64 {
        self.counts.ever[counter as usize]
    }

    /// The causes of what this counter counted, each with how often; none that did not happen.
    pub fn causes(&self, counter: Counter) -> impl Iterator<Item = (Cause, u64)> + '_ {
        self.counts.causes(counter)
    }

    /// Adds those of another worker, or of another time.
    pub fn add(&mut self, other: Taken) {
        self.series.extend(other.series);
        self.counts.add(&other.counts);
    }
}

impl Figures {
    /// Takes one value. `is_measured`: it belongs to the measured part of the run.
    pub fn latency(&mut self, metric: Metric, value: Duration, is_measured: bool) {
        let series = if is_measured { &mut self.series } else { &mut self.beside };
        series[metric as usize].get_or_insert_default().record(value);
    }

    /// Counts.
    pub fn count(&mut self, counter: Counter, by: u64, is_measured: bool) {
        self.counts.ever[counter as usize] += by;
        if is_measured {
            self.counts.measured[counter as usize] += by;
        }
    }

    /// Counts something that may not happen unless a threshold allows it.
    pub fn miss(&mut self, failure_kind: FailureKind) {
        self.counts.missed[failure_kind.counter() as usize] += 1;
        match failure_kind {
            FailureKind::Connect(cause) => self.counts.unconnected[cause as usize] += 1,
            FailureKind::Dropped(cause, _) => self.counts.dropped[cause as usize] += 1,
            FailureKind::Ack | FailureKind::Response | FailureKind::Violation(_) => {}
        }
    }

    /// Counts the cause of a try that was followed by another.
    pub fn retry(&mut self, cause: Cause) {
        self.counts.retried[cause as usize] += 1;
    }

    /// Counts a check that did not hold.
    pub fn fail(&mut self) {
        self.counts.missed[Counter::ChecksFailed as usize] += 1;
    }

    /// One of these fewer is there for the run to be judged by: a threshold on a group or a label decides about it.
    pub fn allow(&mut self, counter: Counter) {
        let missed = &mut self.counts.missed[counter as usize];
        *missed = missed.saturating_sub(1);
    }

    /// Counts an answer for the threshold with this number among those on arguments.
    pub fn answer(&mut self, number: usize, is_fitting: bool) {
        if self.counts.answers.len() <= number {
            self.counts.answers.resize(number + 1, Answers::default());
        }
        let answers = &mut self.counts.answers[number];
        answers.all += 1;
        answers.fitting += u64::from(is_fitting);
    }

    /// The answers for the threshold with this number among those on arguments.
    pub fn answers(&self, number: usize) -> Answers {
        self.counts.answers.get(number).copied().unwrap_or_default()
    }

    /// Adds those of another worker, or of another time.
    pub fn add(&mut self, other: &Figures) {
        let pairs =
            self.series.iter_mut().zip(&other.series).chain(self.beside.iter_mut().zip(&other.beside));
        for (ours, theirs) in pairs {
            if let Some(theirs) = theirs {
                ours.get_or_insert_default().merge(theirs);
            }
        }
        self.counts.add(&other.counts);
    }

    /// Takes everything out, in little memory, and begins anew.
    pub fn take(&mut self) -> Taken {
        let mut taken = Taken { series: Vec::new(), counts: std::mem::take(&mut self.counts) };
        for (is_measured, all) in [(true, &mut self.series), (false, &mut self.beside)] {
            for (metric, series) in Metric::ALL.into_iter().zip(all) {
                match series.as_deref_mut() {
                    Some(series) if series.count() > 0 => {
                        taken.series.push((metric, is_measured, series.take()));
                    }
                    // Clients that are connected need no room for the times of connects.
                    _ => *series = None,
                }
            }
        }
        taken
    }

    /// Adds what was taken out elsewhere.
    pub fn put(&mut self, taken: &Taken) {
        for (metric, is_measured, handful) in &taken.series {
            let series = if *is_measured { &mut self.series } else { &mut self.beside };
            series[*metric as usize].get_or_insert_default().put(handful);
        }
        self.counts.add(&taken.counts);
    }

    /// The values of this metric in the measured part. None when there was not a single one.
    pub fn series(&self, metric: Metric) -> Option<&Series> {
        self.series[metric as usize].as_deref().filter(|series| series.count() > 0)
    }

    /// How much was counted in the measured part.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counts.measured[counter as usize]
    }

    /// How much was counted in the whole run.
    pub fn ever(&self, counter: Counter) -> u64 {
        self.counts.ever[counter as usize]
    }

    /// The causes of what this counter counted in the whole run, each with how often; none that did not happen.
    pub fn causes(&self, counter: Counter) -> impl Iterator<Item = (Cause, u64)> + '_ {
        self.counts.causes(counter)
    }

    /// How much of this happened, in the whole run, that may not, unless a threshold allows it.
    pub fn misses(&self, counter: Counter) -> u64 {
        self.counts.missed[counter as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_lies_outside_of_the_measured_part_is_only_in_the_whole() {
        let mut figures = Figures::default();
        figures.latency(Metric::Ack, MS * 5, true);
        figures.latency(Metric::Ack, MS * 500, false);
        figures.count(Counter::Sent, 3, true);
        figures.count(Counter::Sent, 4, false);
        let mut sum = Figures::default();
        sum.add(&figures);
        let taken = figures.take();
        sum.put(&taken);
        assert!(figures.series(Metric::Ack).is_none() && figures.ever(Counter::Sent) == 0);
        assert_eq!(sum.series(Metric::Ack).map(Series::count), Some(2));
        assert_eq!(sum.series(Metric::Ack).and_then(Series::max), Some(MS * 5));
        assert_eq!(taken.whole_series(Metric::Ack).and_then(|series| series.max()), Some(MS * 500));
        assert_eq!((sum.counter(Counter::Sent), sum.ever(Counter::Sent)), (6, 14));
        assert!(taken.whole_series(Metric::Connect).is_none());
    }

    #[test]
    fn a_series_in_which_nothing_was_counted_since_the_last_time_keeps_no_memory() {
        let mut figures = Figures::default();
        figures.latency(Metric::Connect, MS, true);
        figures.take();
        figures.latency(Metric::Ack, MS, false);
        assert_eq!(figures.take().whole_series(Metric::Ack).map(|series| series.count()), Some(1));
        let kept = |figures: &Figures| figures.series.iter().chain(&figures.beside).flatten().count();
        assert_eq!(kept(&figures), 1, "that of the acknowledgements, which may go on");
        figures.take();
        assert_eq!(kept(&figures), 0);
    }
}
