//! A time since the beginning of the run, in half the space of a [`Duration`].

use std::num::NonZeroU64;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A time since the beginning of the run, or between two such times, to the nanosecond. It takes eight bytes, and so does the
/// lack of one: the audit of many clients keeps millions of them. What would be more than five centuries counts as those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Moment(NonZeroU64);

impl Moment {
    /// The beginning of the run.
    pub const ZERO: Moment = Moment(NonZeroU64::MIN);
    /// Later than any run ends.
    pub const MAX: Moment = Moment(NonZeroU64::MAX);

    /// So many nanoseconds after the beginning.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Moment {
        Moment(NonZeroU64::MIN.saturating_add(nanos))
    }

    /// So many microseconds after the beginning.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Moment {
        Moment::from_nanos(micros.saturating_mul(1_000))
    }

    /// So many milliseconds after the beginning.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Moment {
        Moment::from_nanos(millis.saturating_mul(1_000_000))
    }

    /// So many seconds after the beginning.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Moment {
        Moment::from_nanos(secs.saturating_mul(1_000_000_000))
    }

    const fn nanos(self) -> u64 {
        self.0.get() - 1
    }

    /// Whether it is the beginning, or no time between two.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.nanos() == 0
    }

    /// The whole microseconds of it.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.nanos() / 1_000
    }

    /// The time before it, or the beginning if that is earlier.
    #[must_use]
    pub const fn saturating_sub(self, other: Moment) -> Moment {
        Moment::from_nanos(self.nanos().saturating_sub(other.nanos()))
    }

    /// The time after it, or the latest that there is.
    #[must_use]
    pub const fn saturating_add(self, other: Moment) -> Moment {
        Moment::from_nanos(self.nanos().saturating_add(other.nanos()))
    }
}

impl Default for Moment {
    fn default() -> Moment {
        Moment::ZERO
    }
}

impl Add for Moment {
    type Output = Moment;

    fn add(self, other: Moment) -> Moment {
        self.saturating_add(other)
    }
}

impl AddAssign for Moment {
    fn add_assign(&mut self, other: Moment) {
        *self = *self + other;
    }
}

impl Sub for Moment {
    type Output = Moment;

    fn sub(self, other: Moment) -> Moment {
        self.saturating_sub(other)
    }
}

impl Mul<u32> for Moment {
    type Output = Moment;

    fn mul(self, times: u32) -> Moment {
        Moment::from_nanos(self.nanos().saturating_mul(times.into()))
    }
}

impl From<Duration> for Moment {
    fn from(time: Duration) -> Moment {
        Moment::from_nanos(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Moment> for Duration {
    fn from(moment: Moment) -> Duration {
        Duration::from_nanos(moment.nanos())
    }
}

impl From<u64> for Moment {
    fn from(nanos: u64) -> Moment {
        Moment::from_nanos(nanos)
    }
}

impl From<Moment> for u64 {
    fn from(moment: Moment) -> u64 {
        moment.nanos()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_and_the_lack_of_one_take_eight_bytes() {
        assert_eq!((size_of::<Moment>(), size_of::<Option<Moment>>()), (8, 8));
    }

    #[test]
    fn what_is_beyond_the_latest_time_is_the_latest_and_what_is_before_the_beginning_the_beginning() {
        assert_eq!(Moment::from(Duration::MAX), Moment::MAX);
        assert_eq!(Moment::from_secs(u64::MAX), Moment::MAX);
        assert_eq!(Moment::from(u64::MAX), Moment::MAX);
        assert_eq!(Moment::MAX + Moment::from_nanos(1), Moment::MAX);
        assert_eq!(Moment::from_nanos(1) - Moment::from_nanos(2), Moment::ZERO);
        assert_eq!(Moment::MAX * 2, Moment::MAX);
        assert!(Moment::default().is_zero() && !Moment::from_nanos(1).is_zero());
    }

    proptest! {
        #[test]
        fn it_counts_as_a_duration_does(one in 0..u64::MAX / 4, other in 0..u64::MAX / 4) {
            let (left, right) = (Duration::from_nanos(one), Duration::from_nanos(other));
            let as_moments = (Moment::from(left), Moment::from(right));
            prop_assert_eq!(Duration::from(as_moments.0 + as_moments.1), left + right);
            prop_assert_eq!(Duration::from(as_moments.0 - as_moments.1), left.saturating_sub(right));
            prop_assert_eq!(as_moments.0.cmp(&as_moments.1), left.cmp(&right));
            prop_assert_eq!(u128::from(as_moments.0.as_micros()), left.as_micros());
            let told = serde_json::to_string(&as_moments.0).expect("a number");
            prop_assert_eq!(serde_json::from_str::<Moment>(&told).expect("the same"), as_moments.0);
        }
    }
}
