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
