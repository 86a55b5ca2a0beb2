//! How far the clock of an agent is from that of the coordinator, and how sure that is. Pure.
//!
//! A round trip says that the other clock showed some time between two times of one's own: the offset lies within an interval, as
//! long as the round trip. All intervals together narrow it down. Between two of them the clocks may drift apart, so the interval
//! grows with time. As long as no clock runs faster or slower than that, the truth never lies outside.

use std::time::Duration;

/// By how much two clocks may drift apart: 100 µs each second. Quartz keeps half of that.
const DRIFT: f64 = 100e-6;

/// By how much that may be in so long, in nanoseconds.
pub(super) fn drift(time: Duration) -> i64 {
    (time.as_nanos() as f64 * DRIFT).ceil() as i64
}

/// What is known of the offset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ClockEstimate {
    known: Option<Known>,
    /// How often two round trips contradicted each other: a clock was set, or a machine slept.
    pub(super) jumps: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    /// The least and the greatest offset that can be, in nanoseconds: what is to be added to one's own time.
    low: i128,
    high: i128,
    /// When that was, by one's own clock.
    at: Duration,
}

impl Known {
    /// What is known some time later.
    fn later(self, now: Duration) -> Known {
        let grows = i128::from(drift(now.saturating_sub(self.at)));
        Known { low: self.low - grows, high: self.high + grows, at: now.max(self.at) }
    }
}

impl ClockEstimate {
    /// Takes a round trip: when it began and ended by one's own clock, and what the other clock showed in between.
    pub(super) fn take(&mut self, sent: Duration, received: Duration, other: Duration) {
        if received < sent {
            return;
        }
        let nanos = |time: Duration| i128::try_from(time.as_nanos()).unwrap_or(i128::MAX / 4);
        // The other clock was read at some time of the trip, and may have drifted since: what is known is as old as the trip's start.
        let fresh = Known { low: nanos(other) - nanos(received), high: nanos(other) - nanos(sent), at: sent };
        let fresh = fresh.later(received);
        let Some(before) = self.known.map(|known| known.later(received)) else {
            self.known = Some(fresh);
            return;
        };
        let (low, high) = (before.low.max(fresh.low), before.high.min(fresh.high));
        self.known = Some(match low <= high {
            true => Known { low, high, at: before.at },
            false => {
                self.jumps += 1;
                fresh
            }
        });
    }

    /// How far an offset that is in use may be from the truth. None before the first round trip.
    pub(super) fn doubt_of(&self, used: i64, now: Duration) -> Option<Duration> {
        let Known { low, high, .. } = self.known?.later(now);
        let used = i128::from(used);
        let most = (high - used).unsigned_abs().max((used - low).unsigned_abs());
        Some(Duration::from_nanos(u64::try_from(most).unwrap_or(u64::MAX)))
    }

    /// What to add to one's own time, in nanoseconds, and how far that may be from the truth. None before the first round trip.
    pub(super) fn offset(&self, now: Duration) -> Option<(i64, Duration)> {
        let Known { low, high, .. } = self.known?.later(now);
        let middle = low + (high - low) / 2;
        let doubt = u64::try_from((high - low + 1) / 2).unwrap_or(u64::MAX);
        Some((i64::try_from(middle).ok()?, Duration::from_nanos(doubt)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: u64 = 1_000_000;

    proptest! {
        #[test]
        fn the_truth_is_never_further_away_than_is_said(
            ahead in 0u64..10_000_000_000_000,
            // Parts of a million.
            drift in -90i64..90,
            // The way there, the way back, and the pause before, in nanoseconds.
            trips in prop::collection::vec((0u64..40 * MS, 0u64..40 * MS, 0u64..2_000 * MS), 1..200),
        ) {
            let other = |own: u64| (ahead as i128 + own as i128 + own as i128 * i128::from(drift) / 1_000_000) as u64;
            let mut estimate = ClockEstimate::default();
            let (mut now, mut used) = (0, None);
            for (there, back, pause) in trips {
                let sent = now;
                let received = sent + there + back;
                estimate.take(
                    Duration::from_nanos(sent), Duration::from_nanos(received), Duration::from_nanos(other(sent + there)),
                );
                now = received + pause;
                let (offset, doubt) = estimate.offset(Duration::from_nanos(now)).expect("there was a round trip");
                let truth = other(now) as i128 - now as i128;
                let wrong = (truth - i128::from(offset)).unsigned_abs();
                prop_assert!(wrong <= doubt.as_nanos() + 2, "wrong by {wrong} ns, said {doubt:?}");
                // What was found first stays in use, and drifts away.
                let used = *used.get_or_insert(offset);
                let doubt = estimate.doubt_of(used, Duration::from_nanos(now)).expect("there was a round trip");
                let wrong = (truth - i128::from(used)).unsigned_abs();
                prop_assert!(wrong <= doubt.as_nanos() + 2, "in use: wrong by {wrong} ns, said {doubt:?}");
            }
            prop_assert_eq!(estimate.jumps, 0);
        }
    }

    #[test]
    fn one_quick_round_trip_among_slow_ones_decides() {
        let mut estimate = ClockEstimate::default();
        for trip in 0..50u64 {
            let sent = trip * 100 * MS;
            let takes = if trip == 20 { MS / 10 } else { 30 * MS };
            let [sent, received, other] =
                [sent, sent + takes, sent + takes / 3 + 7_000 * MS].map(Duration::from_nanos);
            estimate.take(sent, received, other);
        }
        let (offset, doubt) = estimate.offset(Duration::from_secs(5)).expect("there were round trips");
        assert!(doubt < Duration::from_millis(1), "{doubt:?}");
        assert!((offset - 7_000 * MS as i64).unsigned_abs() < MS, "{offset}");
    }

    /// The way there took no time, the way back 40 ms, and the other clock ran ahead meanwhile.
    #[test]
    fn a_clock_that_drifts_on_the_way_back_is_within_the_doubt() {
        let mut estimate = ClockEstimate::default();
        let received = Duration::from_millis(40);
        estimate.take(Duration::ZERO, received, Duration::ZERO);
        let truth = 90e-6 * received.as_nanos() as f64;
        let (offset, doubt) = estimate.offset(received).expect("there was a round trip");
        assert!(
            (truth - offset as f64).abs() <= doubt.as_nanos() as f64,
            "{truth} ns is not {offset} ± {doubt:?}"
        );
    }

    #[test]
    fn a_clock_that_was_set_is_believed_anew() {
        let mut estimate = ClockEstimate::default();
        let take = |estimate: &mut ClockEstimate, at: u64, other: u64| {
            estimate.take(Duration::from_secs(at), Duration::from_secs(at), Duration::from_secs(other));
        };
        take(&mut estimate, 10, 50);
        take(&mut estimate, 11, 90);
        assert_eq!(estimate.jumps, 1);
        assert_eq!(estimate.offset(Duration::from_secs(11)).map(|(offset, _)| offset), Some(79_000_000_000));
    }
}
