//! A command with all that it starts: watched, stopped as a whole, and never left behind, however we come to our end.
//!
//! What that is, and how it is held, is each system's own: a process group, or a job.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::time::Duration;

#[cfg(unix)]
pub(super) use unix::in_words;
#[cfg(unix)]
pub(crate) use unix::{Group, Process, command_line};
#[cfg(windows)]
pub(super) use windows::in_words;
#[cfg(windows)]
pub(crate) use windows::{Group, Process, command_line};

/// How long members may take to end when they are asked to.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// How long the last words of a process that has ended may be on their way.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(500);

const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How a server is ended on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// With the time to say good-bye.
    Politely,
    /// By a signal that nobody can catch.
    AtOnce,
}

/// What a server has used so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// CPU time, user and system, since its start.
    pub cpu: Duration,
    /// Resident memory now, in bytes. Pages that several of its processes share count for each.
    pub memory: u64,
}
