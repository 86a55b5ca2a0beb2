//! A command with all that it starts: watched, stopped as a whole, and never left behind, however we come to our end.
//!
//! What that is, and how it is held, is each system's own: a process group, or a job.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::output::Output;
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

/// The process that was started, whatever it has started itself.
#[derive(Debug)]
struct Leader {
    process: Child,
    output: Output,
    ended: Option<ExitStatus>,
}

impl Leader {
    /// Starts it, and reads what it prints.
    fn start(mut command: Command, output: Output) -> io::Result<Leader> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(stream) = process.stdout.take() {
            output.follow(stream);
        }
        if let Some(stream) = process.stderr.take() {
            output.follow(stream);
        }
        Ok(Leader { process, output, ended: None })
    }

    /// The other end of its standard input, if it has one.
    fn input(&mut self) -> Option<ChildStdin> {
        self.process.stdin.take()
    }

    /// How it has ended, if it has.
    fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().ok().flatten();
        }
        self.ended
    }

    /// The last lines of one that has ended.
    fn last_words(&self) -> Vec<String> {
        self.output.settle(LAST_WORDS);
        self.output.tail()
    }
}

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
