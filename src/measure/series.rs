//! One latency series: an HdrHistogram from 1 µs to 120 s at three digits, with what lies beyond counted apart.
//!
//! Count, sum, least and greatest are kept exactly; percentiles have the histogram's precision of 0.1 %.
//! A value beyond 120 s still has its rank: a percentile that falls among such values has no number.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// The longest duration with a bucket of its own.
pub const HIGHEST: Duration = Duration::from_secs(120);

const HIGHEST_MICROS: u64 = 120_000_000;
const DIGITS: u8 = 3;
const COARSE_DIGITS: u8 = 2;

/// Latencies of one kind. Merging two series gives what one series would have seen.
#[derive(Clone)]
pub struct Series {
    histogram: Histogram<u64>,
    overflow: u64,
    sum_micros: u128,
    min: Duration,
    max: Duration,
}

/// The values of a series without the room for others: what workers hand over each second.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Handful {
    /// The upper edge of each bucket that has values, and how many.
    buckets: Vec<(u32, u64)>,
    overflow: u64,
    sum_micros: u128,
    min: Duration,
    max: Duration,
}

impl Default for Series {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Series({} values, {:?}..{:?}, {} beyond)", self.count(), self.min, self.max, self.overflow)
    }
}

impl Series {
    /// An empty series: about 140 KB, so one per worker and metric, never one per client.
    pub fn new() -> Self {
        let histogram =
            Histogram::new_with_bounds(1, HIGHEST_MICROS, DIGITS).expect("these bounds are legal");
        Self { histogram, overflow: 0, sum_micros: 0, min: Duration::MAX, max: Duration::ZERO }
    }

    /// Takes one value, rounded to the microsecond; less than one counts as one.
    pub fn record(&mut self, value: Duration) {
        let micros = micros(value).max(1);
        if micros > HIGHEST_MICROS || self.histogram.record(micros).is_err() {
            self.overflow += 1;
        }
        self.sum_micros += u128::from(micros);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Series) {
        self.histogram.add(&other.histogram).expect("all series have the same bounds");
        self.overflow += other.overflow;
        self.sum_micros += other.sum_micros;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Takes the values out, in little memory; the series is empty afterwards and keeps its own.
    pub fn take(&mut self) -> Handful {
        let handful = Handful {
            buckets: self
                .histogram
                .iter_recorded()
                .map(|step| (step.value_iterated_to() as u32, step.count_at_value()))
                .collect(),
            overflow: std::mem::take(&mut self.overflow),
            sum_micros: std::mem::take(&mut self.sum_micros),
            min: std::mem::replace(&mut self.min, Duration::MAX),
            max: std::mem::take(&mut self.max),
        };
        self.histogram.reset();
        handful
    }

    /// Puts values in that were taken out elsewhere.
    pub fn put(&mut self, handful: &Handful) {
        for (micros, count) in &handful.buckets {
            // What comes from another machine need not have been in such a histogram.
            if self.histogram.record_n(u64::from(*micros), *count).is_err() {
                self.overflow += count;
            }
        }
        self.overflow += handful.overflow;
        self.sum_micros += handful.sum_micros;
        self.min = self.min.min(handful.min);
        self.max = self.max.max(handful.max);
    }

    /// How many values were taken, those beyond [`HIGHEST`] included.
    pub fn count(&self) -> u64 {
        self.histogram.len() + self.overflow
    }

    /// How many values were longer than [`HIGHEST`].
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// The least value, exactly. None without values.
    pub fn min(&self) -> Option<Duration> {
        (self.count() > 0).then_some(self.min)
    }

    /// The greatest value, exactly, also beyond [`HIGHEST`]. None without values.
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then_some(self.max)
    }

    /// The mean over all values, exact to the microsecond. None without values.
    pub fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.count());
        let mean = (self.sum_micros + count / 2).checked_div(count)?;
        Some(Duration::from_micros(u64::try_from(mean).unwrap_or(u64::MAX)))
    }

    /// The value that a share of `quantile` (0 to 1) of all values does not exceed.
    ///
    /// `None` without values; `Some(None)` when that value lies beyond [`HIGHEST`].
    pub fn quantile(&self, quantile: f64) -> Option<Option<Duration>> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = rank(quantile, count);
        let bucketed = self.histogram.len();
        if rank > bucketed {
            return Some(None);
        }
        // Half a rank below, so that the division cannot round up into the next value.
        let micros = self.histogram.value_at_quantile((rank as f64 - 0.5) / bucketed as f64);
        Some(Some(Duration::from_micros(micros).clamp(self.min, self.max)))
    }

    /// How many values were longer than `limit`, to the histogram's precision.
    pub fn count_above(&self, limit: Duration) -> u64 {
        if limit >= HIGHEST {
            return self.overflow;
        }
        let above = self.histogram.next_non_equivalent(micros(limit));
        self.histogram.count_between(above, HIGHEST_MICROS) + self.overflow
    }

    /// Every bucket that is not empty: the longest duration that falls into it, and how many did. In order,
    /// without those beyond [`HIGHEST`].
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.histogram
            .iter_recorded()
            .map(|step| (Duration::from_micros(step.value_iterated_to()), step.count_at_value()))
    }

    /// The buckets in the HdrHistogram V2 compressed form, as base64 text: readable by every HdrHistogram
    /// implementation. Holds microseconds, without those beyond [`HIGHEST`].
    pub fn encode(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&self.histogram, &mut bytes)
            .expect("a vector takes every byte, and counts fit the format");
        STANDARD.encode(bytes)
    }

    /// The same with two digits, for the many small ones of single seconds.
    pub fn encode_coarsely(&self) -> String {
        let mut coarse: Histogram<u64> =
            Histogram::new_with_bounds(1, HIGHEST_MICROS, COARSE_DIGITS).expect("these bounds are legal");
        coarse.add(&self.histogram).expect("both have the same highest value");
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(&coarse, &mut bytes)
            .expect("a vector takes every byte, and counts fit the format");
        STANDARD.encode(bytes)
    }

    /// A series from what [`Series::encode_coarsely`] wrote, and its greatest value.
    pub fn decode_coarse(text: &str, max: Duration) -> Result<Self, DecodeError> {
        let mut series = Self::decode(text, 0, Duration::ZERO, Duration::ZERO, max)?;
        series.sum_micros = series
            .histogram
            .iter_recorded()
            .map(|step| u128::from(step.value_iterated_to()) * u128::from(step.count_at_value()))
            .sum();
        Ok(series)
    }

    /// A series from stored parts; the inverse of [`Series::encode`] and of the exact figures beside it.
    pub fn decode(
        text: &str,
        overflow: u64,
        mean: Duration,
        min: Duration,
        max: Duration,
    ) -> Result<Self, DecodeError> {
        let bytes = STANDARD.decode(text).map_err(|_| DecodeError("it is not base64"))?;
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|_| DecodeError("it is not a compressed V2 histogram"))?;
        let mut series = Self::new();
        series.histogram.add(&read).map_err(|_| DecodeError("it holds values beyond 120 s"))?;
        series.overflow = overflow;
        series.sum_micros = u128::from(micros(mean)) * u128::from(series.count());
        if series.count() > 0 {
            series.min = min;
            series.max = max;
        }
        Ok(series)
    }
}

/// Why a stored histogram could not be read, as a sentence without its full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError(&'static str);

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the stored histogram: {}", self.0)
    }
}

impl std::error::Error for DecodeError {}

/// The rank (from 1) of the value at `quantile` among `count` values.
fn rank(quantile: f64, count: u64) -> u64 {
    // 0.999 * 10_000 is a hair above 9,990 in binary: forgive what is far below one rank.
    let exact = quantile.clamp(0.0, 1.0) * count as f64;
    let nearest = exact.round();
    let rank = if (exact - nearest).abs() < 1e-9 * count as f64 { nearest } else { exact.ceil() };
    (rank as u64).clamp(1, count)
}

fn micros(value: Duration) -> u64 {
    let nanos = value.as_nanos() + 500;
    u64::try_from(nanos / 1000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn series(values: impl IntoIterator<Item = Duration>) -> Series {
        let mut series = Series::new();
        values.into_iter().for_each(|value| series.record(value));
        series
    }

    fn close_to(actual: Duration, expected: Duration) -> bool {
        actual.abs_diff(expected) <= expected / 900
    }

    #[test]
    fn what_is_taken_out_and_put_in_elsewhere_is_the_same() {
        let values = (1..3_000u32).map(|n| MS * n / 7).chain([Duration::from_secs(200)]);
        let mut series = series(values);
        let whole = series.clone();
        let handful = series.take();
        assert_eq!((series.count(), series.max()), (0, None));
        let mut other = Series::new();
        other.put(&handful);
        other.put(&series.take());
        for figure in [0.1, 0.5, 0.99, 1.0] {
            assert_eq!(other.quantile(figure), whole.quantile(figure));
        }
        assert_eq!((other.count(), other.mean(), other.min()), (whole.count(), whole.mean(), whole.min()));
        series.record(MS);
        assert_eq!((series.count(), series.min()), (1, Some(MS)));
    }

    #[test]
    fn an_empty_series_has_no_figures_at_all() {
        let empty = Series::new();
        assert_eq!((empty.count(), empty.min(), empty.max(), empty.mean()), (0, None, None, None));
        assert_eq!(empty.quantile(0.5), None);
        assert_eq!(empty.count_above(Duration::ZERO), 0);
    }

    #[test]
    fn percentiles_of_a_thousand_even_values_are_their_ranks() {
        let even = series((1..=1000).map(|n| MS * n));
        for (quantile, rank) in
            [(0.0, 1), (0.001, 1), (0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999), (1.0, 1000)]
        {
            let value = even.quantile(quantile).flatten().expect("there is a value");
            assert!(close_to(value, MS * rank), "p{quantile}: {value:?} is not close to {rank} ms");
        }
        assert_eq!(even.min(), Some(MS));
        assert_eq!(even.max(), Some(MS * 1000));
        assert_eq!(even.mean(), Some(Duration::from_micros(500_500)));
    }

    #[test]
    fn a_percentile_never_leaves_the_range_that_was_seen() {
        let one = series([Duration::from_micros(123_457)]);
        assert_eq!(one.quantile(0.0), Some(Some(Duration::from_micros(123_457))));
        assert_eq!(one.quantile(1.0), Some(Some(Duration::from_micros(123_457))));
    }

    #[test]
    fn a_value_beyond_the_range_keeps_its_rank_and_has_no_number() {
        let mut slow = series((0..98).map(|_| MS));
        slow.record(HIGHEST + MS);
        slow.record(Duration::from_secs(86_400));
        assert_eq!((slow.count(), slow.overflow()), (100, 2));
        assert_eq!(slow.quantile(0.98), Some(Some(MS)));
        assert_eq!(slow.quantile(0.99), Some(None));
        assert_eq!(slow.max(), Some(Duration::from_secs(86_400)));
        assert_eq!(slow.count_above(MS), 2);
        assert_eq!(slow.count_above(HIGHEST), 2);
    }

    #[test]
    fn the_longest_value_with_a_bucket_is_not_an_overflow() {
        assert_eq!(series([HIGHEST]).overflow(), 0);
    }

    #[test]
    fn less_than_a_microsecond_is_counted_as_one() {
        let fast = series([Duration::ZERO, Duration::from_nanos(3)]);
        assert_eq!(fast.count(), 2);
        assert_eq!(fast.mean(), Some(Duration::from_micros(1)));
    }

    #[test]
    fn counting_above_a_limit_leaves_the_limit_itself_out() {
        let even = series((1..=100).map(|n| MS * n));
        assert_eq!(even.count_above(MS * 60), 40);
        assert_eq!(even.count_above(Duration::ZERO), 100);
        assert_eq!(even.count_above(MS * 100), 0);
    }

    #[test]
    fn merging_gives_what_one_series_would_have_seen() {
        let (low, high) = ((1..=500).map(|n| MS * n), (501..=1000).map(|n| MS * n));
        let mut merged = series(low.clone());
        merged.merge(&series(high.clone().chain([HIGHEST * 2])));
        let whole = series(low.chain(high).chain([HIGHEST * 2]));
        assert_eq!(merged.buckets().collect::<Vec<_>>(), whole.buckets().collect::<Vec<_>>());
        assert_eq!((merged.count(), merged.overflow()), (1001, 1));
        assert_eq!((merged.min(), merged.mean(), merged.max()), (whole.min(), whole.mean(), whole.max()));
    }

    #[test]
    fn merging_an_empty_series_changes_nothing() {
        let mut one = series([MS * 7]);
        one.merge(&Series::new());
        assert_eq!((one.count(), one.min(), one.max()), (1, Some(MS * 7), Some(MS * 7)));
    }

    #[test]
    fn an_encoded_series_comes_back_whole() {
        let before = series((1..=1000).map(|n| MS * n).chain([HIGHEST * 3]));
        let after = Series::decode(
            &before.encode(),
            before.overflow(),
            before.mean().expect("it has values"),
            before.min().expect("it has values"),
            before.max().expect("it has values"),
        )
        .expect("it was encoded here");
        assert_eq!(after.buckets().collect::<Vec<_>>(), before.buckets().collect::<Vec<_>>());
        assert_eq!((after.count(), after.mean(), after.max()), (1001, before.mean(), before.max()));
        assert_eq!(after.quantile(0.99), before.quantile(0.99));
    }

    #[test]
    fn a_damaged_encoding_is_refused() {
        for text in ["", "%%%", "AAAA", &series([MS]).encode()[..12]] {
            assert!(Series::decode(text, 0, MS, MS, MS).is_err(), "{text:?} was taken for a histogram");
        }
    }
}
