//! Ends a wait on time. The readiness queue itself counts in milliseconds, which would be half a millisecond of lag
//! on every paced action; where the system has alarm clocks for queues (Linux), one rings to the microsecond.

use std::io;
use std::time::{Duration, Instant};

use mio::{Registry, Token};

#[cfg(target_os = "linux")]
pub(super) use linux::Alarm;

/// Without an alarm clock: the queue's own patience.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(super) struct Alarm;

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub(super) fn new(_: &Registry, _: Token) -> io::Result<Alarm> {
        Ok(Alarm)
    }

    pub(super) fn patience(&mut self, until: Instant) -> io::Result<Option<Duration>> {
        Ok(Some(until.saturating_duration_since(Instant::now())))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd, AsRawFd};

    use mio::Interest;
    use mio::unix::SourceFd;
    use nix::sys::time::{TimeSpec, TimeValLike};
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

    use super::{Duration, Instant, Registry, Token, io};

    /// An alarm clock in the readiness queue.
    #[derive(Debug)]
    pub(in super::super) struct Alarm {
        timer: TimerFd,
        set: Option<Instant>,
    }

    impl Alarm {
        pub(in super::super) fn new(registry: &Registry, token: Token) -> io::Result<Alarm> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            registry.register(&mut SourceFd(&timer.as_fd().as_raw_fd()), token, Interest::READABLE)?;
            Ok(Alarm { timer, set: None })
        }

        /// Sets the alarm, so that the queue itself may wait for ever. A time that is over rings at once.
        pub(in super::super) fn patience(&mut self, until: Instant) -> io::Result<Option<Duration>> {
            if self.set != Some(until) {
                let nanos = until.saturating_duration_since(Instant::now()).as_nanos();
                let nanos = nanos.clamp(1, i64::MAX as u128) as i64;
                let expiration = Expiration::OneShot(TimeSpec::nanoseconds(nanos));
                self.timer.set(expiration, TimerSetTimeFlags::empty())?;
                self.set = Some(until);
            }
            Ok(None)
        }
    }
}
