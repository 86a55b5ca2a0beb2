//! How many values a percentile takes before a verdict rests on it.

/// How many samples must lie beyond a percentile before a verdict rests on it.
///
/// A p99 of 200 samples is decided by two of them. With ten beyond, chance moves the share beyond the limit by
/// about a third, which is the least that deserves a yes or no.
pub(crate) const SAMPLES_BEYOND: u64 = 10;

/// The same when not a single sample lies beyond the limit. That is the rule of three: of `n` samples none beyond means
/// a share beyond of less than `3 / n`, with 95 % confidence.
const SAMPLES_BEYOND_IF_NONE_IS: u64 = 3;

/// How many samples a verdict on this quantile (0 to 1) needs: p50 20, p90 100, p99 1,000, p99.9 10,000; and if none
/// of them is beyond an upper limit, p50 6, p90 30, p99 300, p99.9 3,000.
pub fn samples_needed(quantile: f64, none_beyond: bool) -> u64 {
    let share_beyond = (1.0 - quantile.clamp(0.0, 1.0)).max(1e-9);
    let beyond = if none_beyond { SAMPLES_BEYOND_IF_NONE_IS } else { SAMPLES_BEYOND };
    (beyond as f64 / share_beyond).round() as u64
}
