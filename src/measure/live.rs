//! What a run looks like while it goes on: a coarse histogram, a worker's last interval, the last second.
//!
//! Each worker hands over an [`Interval`] every hundred milliseconds or so ([`super::Tally::take_interval`]: a move
//! of two kilobytes, no lock). One place adds them up in a [`Window`] and makes the [`Live`] that the progress
//! display shows. Nothing here enters a result: results come from the exact series.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observe::Counter;

/// Eight buckets to each doubling: a reading is at most 1/8 above the true value.
const PER_OCTAVE: u64 = 8;
/// Up to 2^27 µs, a little more than two minutes; longer values share the last bucket.
const BUCKETS: usize = 8 * 25 + 8;

/// A small histogram of microseconds: under 1 KB, precise to an eighth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coarse {
    #[serde(with = "sparse")]
    counts: [u32; BUCKETS],
    total: u64,
}

impl Default for Coarse {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0 }
    }
}

impl Coarse {
    /// Takes one value.
    pub fn record(&mut self, value: Duration) {
        let micros = crate::units::micros(value);
        let index = index(micros).min(BUCKETS - 1);
        self.counts[index] = self.counts[index].saturating_add(1);
        self.total += 1;
    }

    /// Adds what another has seen.
    pub fn merge(&mut self, other: &Coarse) {
        for (ours, theirs) in self.counts.iter_mut().zip(other.counts) {
            *ours = ours.saturating_add(theirs);
        }
        self.total += other.total;
    }

    /// The upper edge of the bucket in which the quantile (0 to 1) falls. None without values.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let rank = ((quantile.clamp(0.0, 1.0) * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.counts.iter().enumerate().find_map(|(index, count)| {
            seen += u64::from(*count);
            (seen >= rank).then(|| Duration::from_micros(upper_edge(index)))
        })
    }
}

fn index(micros: u64) -> usize {
    if micros < PER_OCTAVE {
        return micros as usize;
    }
    let octave = u64::from(micros.ilog2()) - 3;
    let within = (micros >> octave) - PER_OCTAVE;
    (PER_OCTAVE * (octave + 1) + within) as usize
}

fn upper_edge(index: usize) -> u64 {
    let index = index as u64;
    if index < PER_OCTAVE {
        return index;
    }
    let (octave, within) = (index / PER_OCTAVE - 1, index % PER_OCTAVE);
    ((PER_OCTAVE + within + 1) << octave) - 1
}

/// The buckets as they pass from machine to machine: those that have values.
mod sparse {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::BUCKETS;

    pub(super) fn serialize<S: Serializer>(
        counts: &[u32; BUCKETS],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let filled = (0u16..).zip(counts).filter(|(_, count)| **count > 0);
        filled.collect::<Vec<(u16, &u32)>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u32; BUCKETS], D::Error> {
        let mut counts = [0; BUCKETS];
        for (index, count) in Vec::<(u16, u32)>::deserialize(deserializer)? {
            if let Some(bucket) = counts.get_mut(usize::from(index)) {
                *bucket = count;
            }
        }
        Ok(counts)
    }
}

/// What one worker observed since its last hand-over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// How much each counter grew, in the order of [`Counter::ALL`].
    pub counts: [u64; Counter::ALL.len()],
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not hold.
    pub failed: u64,
    /// Operations that did not succeed.
    pub missed: u64,
    /// Troubles of all causes.
    pub troubles: u64,
    /// Acknowledgements.
    pub ack: Coarse,
    /// Responses.
    pub response: Coarse,
    /// Deliveries.
    pub delivery: Coarse,
}

impl Interval {
    /// How much this counter grew.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counts[counter as usize]
    }

    /// Adds another worker's interval of the same time, or the next one of the same worker.
    pub fn merge(&mut self, other: &Interval) {
        for (ours, theirs) in self.counts.iter_mut().zip(other.counts) {
            *ours += theirs;
        }
        self.passed += other.passed;
        self.failed += other.failed;
        self.missed += other.missed;
        self.troubles += other.troubles;
        self.ack.merge(&other.ack);
        self.response.merge(&other.response);
        self.delivery.merge(&other.delivery);
    }
}

/// What a display shows of a run that goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// How long the whole run should take, if the scenario says so.
    pub expected: Option<Duration>,
    /// The step that is going on, in words.
    pub step: String,
    /// Clients connected now.
    pub connected: u64,
    /// Clients of the scenario.
    pub total: u64,
    /// Clients whose connect is under way.
    pub connecting: u64,
    /// Connections that were lost unasked, so far.
    pub dropped: u64,
    /// Paced rounds that were due per second, over the last second: the rate that is asked for.
    pub due_per_second: f64,
    /// Paced rounds that were begun per second: the rate that is achieved.
    pub begun_per_second: f64,
    /// Events sent per second, over the last second.
    pub sent_per_second: f64,
    /// Events received per second, over the last second.
    pub received_per_second: f64,
    /// Acknowledgements of the last second: p50 and p99.
    pub ack: Option<(Duration, Duration)>,
    /// Responses of the last second: p50 and p99.
    pub response: Option<(Duration, Duration)>,
    /// Deliveries of the last second: p50 and p99.
    pub delivery: Option<(Duration, Duration)>,
    /// Failed checks and operations that did not succeed, so far.
    pub failures: u64,
    /// What the audit has found, if there is one.
    pub audit: Option<Audited>,
}

/// What the audit of the deliveries has found so far. A message is judged when its window is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    /// Deliveries that had to be.
    pub expected: u64,
    /// What was missing, doubled, out of order or leaked.
    pub wrong: u64,
}

/// What only the engine knows of the present moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// How long the whole run should take, if the scenario says so.
    pub expected: Option<Duration>,
    /// The step that is going on, in words.
    pub step: String,
    /// Clients connected now.
    pub connected: u64,
    /// Clients of the scenario.
    pub total: u64,
    /// What the audit has found, if there is one.
    pub audit: Option<Audited>,
}

/// Adds intervals up to the last second and to the run so far.
#[derive(Clone, Debug, Default)]
pub struct Window {
    recent: VecDeque<(Duration, Interval)>,
    failures: u64,
    /// Connects that were begun, and those of them that have ended.
    connects: (u64, u64),
    dropped: u64,
}

impl Window {
    /// How far back it looks.
    pub const SPAN: Duration = Duration::from_secs(1);

    /// What is handed over within this time is added up at once: hundreds of machines hand over ten times a second each.
    const GRAIN: Duration = Duration::from_millis(50);

    /// Takes what the workers handed over at `at` since the start of the run (merged, or one call each).
    pub fn push(&mut self, at: Duration, interval: Interval) {
        self.failures += interval.failed + interval.missed;
        self.connects.0 += interval.count(Counter::ConnectAsked);
        let ended = [Counter::ConnectOk, Counter::ConnectFailed, Counter::ConnectRefused];
        self.connects.1 += ended.map(|counter| interval.count(counter)).iter().sum::<u64>();
        self.dropped += interval.count(Counter::Dropped);
        match self.recent.back_mut() {
            Some((first, sum)) if at < *first + Self::GRAIN => sum.merge(&interval),
            _ => self.recent.push_back((at, interval)),
        }
        while self.recent.front().is_some_and(|(then, _)| *then + Self::SPAN <= at) {
            self.recent.pop_front();
        }
    }

    /// The picture at `gauges.elapsed`.
    pub fn live(&self, gauges: Gauges) -> Live {
        let mut sum = Interval::default();
        let within = |then: &Duration| *then + Self::SPAN > gauges.elapsed;
        self.recent.iter().filter(|(then, _)| within(then)).for_each(|(_, interval)| sum.merge(interval));
        let span = gauges.elapsed.min(Self::SPAN).as_secs_f64().max(0.001);
        let per_second = |counter| sum.count(counter) as f64 / span;
        let pair = |coarse: &Coarse| coarse.quantile(0.5).zip(coarse.quantile(0.99));
        Live {
            connecting: self.connects.0.saturating_sub(self.connects.1),
            dropped: self.dropped,
            due_per_second: per_second(Counter::RoundsDue),
            begun_per_second: per_second(Counter::RoundsBegun),
            sent_per_second: per_second(Counter::Sent),
            received_per_second: per_second(Counter::Received),
            ack: pair(&sum.ack),
            response: pair(&sum.response),
            delivery: pair(&sum.delivery),
            failures: self.failures,
            audit: gauges.audit,
            elapsed: gauges.elapsed,
            expected: gauges.expected,
            step: gauges.step,
            connected: gauges.connected,
            total: gauges.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn interval(sent: u64, ack: Duration) -> Interval {
        let mut interval = Interval::default();
        interval.counts[Counter::Sent as usize] = sent;
        interval.ack.record(ack);
        interval
    }

    #[test]
    fn a_coarse_reading_is_at_most_an_eighth_above_the_value() {
        for shift in 0..27 {
            for value in [1u64 << shift, (1 << shift) + (1 << shift) / 3, (2 << shift) - 1] {
                let mut coarse = Coarse::default();
                coarse.record(Duration::from_micros(value));
                let read = coarse.quantile(0.5).expect("one value").as_micros() as u64;
                assert!(read >= value && read <= value + value / 8, "{value} was read as {read}");
            }
        }
    }

    #[test]
    fn a_value_beyond_the_last_bucket_is_kept_in_it() {
        let mut coarse = Coarse::default();
        coarse.record(Duration::MAX);
        assert!(coarse.quantile(0.5).expect("one value") > Duration::from_secs(120));
        assert_eq!(Coarse::default().quantile(0.5), None);
    }

    #[test]
    fn the_window_forgets_what_is_older_than_a_second_and_remembers_failures() {
        let mut window = Window::default();
        window.push(MS * 100, Interval { failed: 3, ..interval(50, MS * 900) });
        for tenth in 6..=15 {
            window.push(MS * 100 * tenth, interval(7, MS));
        }
        let live = window.live(Gauges { elapsed: MS * 1500, ..Gauges::default() });
        assert_eq!(live.sent_per_second, 70.0);
        let (p50, p99) = live.ack.expect("acks came in the last second");
        assert!(p50 < MS * 2 && p99 < MS * 2, "{p50:?} {p99:?}");
        assert_eq!(live.delivery, None);
        assert_eq!(live.failures, 3);
    }

    #[test]
    fn a_run_that_fell_silent_shows_no_rate() {
        let mut window = Window::default();
        window.push(MS * 100, interval(50, MS));
        let live = window.live(Gauges { elapsed: MS * 5000, ..Gauges::default() });
        assert_eq!((live.sent_per_second, live.ack), (0.0, None));
    }

    #[test]
    fn connects_under_way_are_those_that_have_not_ended() {
        let counting = |counts: &[(Counter, u64)]| {
            let mut interval = Interval::default();
            counts.iter().for_each(|(counter, by)| interval.counts[*counter as usize] = *by);
            interval
        };
        let mut window = Window::default();
        window.push(MS * 100, counting(&[(Counter::ConnectAsked, 10), (Counter::ConnectOk, 4)]));
        window.push(
            MS * 2000,
            counting(&[(Counter::ConnectFailed, 1), (Counter::RoundsDue, 9), (Counter::RoundsBegun, 8)]),
        );
        window.push(MS * 2000, counting(&[(Counter::ConnectRefused, 2)]));
        let live = window.live(Gauges { elapsed: MS * 2000, ..Gauges::default() });
        assert_eq!(live.connecting, 3);
        assert_eq!((live.due_per_second, live.begun_per_second), (9.0, 8.0));
    }

    #[test]
    fn however_many_workers_there_are_little_is_remembered_of_the_last_second() {
        let mut window = Window::default();
        for half in 2..=6000 {
            window.push(MS * half / 2, interval(1, MS));
        }
        assert!(window.recent.len() <= 21, "{} are remembered", window.recent.len());
        let live = window.live(Gauges { elapsed: MS * 3000, ..Gauges::default() });
        assert!((1_900.0..=2_100.0).contains(&live.sent_per_second), "{}", live.sent_per_second);
    }

    #[test]
    fn intervals_of_several_workers_at_one_moment_add_up() {
        let mut window = Window::default();
        window.push(MS * 1000, interval(10, MS));
        window.push(MS * 1000, interval(20, MS * 3));
        let live = window.live(Gauges { elapsed: MS * 1000, ..Gauges::default() });
        assert_eq!(live.sent_per_second, 30.0);
    }
}
