//! A job of our own (<https://learn.microsoft.com/windows/win32/procthread/job-objects>). Windows ends all members of a job when
//! its last handle is closed, and ours is, however we come to our end.
//!
//! Windows has no signal that asks a process to end. Who ends with its standard input is asked by that; a command line is ended at once.

use std::io;
use std::os::windows::io::AsRawHandle;
use std::os::windows::process::CommandExt;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use sysinfo::Pid;
use win32job::{ExtendedLimitInfo, Job};

use super::super::output::Output;
use super::{GRACE, LOOK_AGAIN, Leader, Resources};
use crate::scenario::StopSignal;
use crate::system::look_at_processes;

/// Its Ctrl-C is not ours: a server stays up until the report is made.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// A running job. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Leader,
    /// None once all members have been ended.
    job: Option<Job>,
    /// What the leader ends with, if it does.
    input: Option<ChildStdin>,
}

impl Group {
    /// Starts a program that ends by itself when its standard input does.
    pub(in crate::server) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped());
        let mut group = Self::lead(command, Output::default())?;
        group.input = group.leader.input();
        Ok(group)
    }

    /// Starts a command line with `cmd`, its standard input empty, with these variables in its environment beside our own. Its
    /// output is searched for a text that says that it is ready, if one does.
    pub(crate) fn start_line(
        line: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        ready: Option<&str>,
    ) -> io::Result<Self> {
        let mut command = Command::new("cmd");
        // `cmd` has rules of its own for quotes: with `/S`, the outer pair is taken away and the rest is read as it is typed.
        command.args(["/D", "/S", "/C"]).raw_arg(format!("\"{line}\""));
        command.envs(environment).stdin(Stdio::null());
        Self::lead(command, Output::awaiting(ready))
    }

    fn lead(mut command: Command, output: Output) -> io::Result<Self> {
        let mut limits = ExtendedLimitInfo::new();
        limits.limit_kill_on_job_close();
        let job = Job::create_with_limit_info(&limits).map_err(io::Error::other)?;
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
        let mut leader = Leader::start(command, output)?;
        if let Err(error) = job.assign_process(leader.process.as_raw_handle() as isize) {
            // One that is gone already is in no job, and needs none.
            if leader.ended().is_none() {
                leader.process.kill()?;
                return Err(io::Error::other(error));
            }
        }
        Ok(Self { leader, job: Some(job), input: None })
    }

    /// The same: there are no signals by which its members could be asked to end.
    pub(in crate::server) fn stopped_by(self, _: StopSignal) -> Self {
        self
    }

    /// What it prints.
    pub(in crate::server) fn output(&self) -> &Output {
        &self.leader.output
    }

    /// How the process that was started has ended, if it has. One that went on in the background has not.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.command_ended()?;
        (!status.success() || self.members().is_empty()).then_some(status)
    }

    /// The same for a command that has done its work when it ends, whatever goes on in the background.
    pub(in crate::server) fn command_ended(&mut self) -> Option<ExitStatus> {
        self.leader.ended()
    }

    /// CPU time and memory of all members. None when nobody lives any more.
    pub(in crate::server) fn resources(&self) -> Option<Resources> {
        let members = self.members();
        let system = look_at_processes(&members)?;
        let found: Vec<_> = members.iter().filter_map(|member| system.process(*member)).collect();
        (!found.is_empty()).then(|| Resources {
            cpu: Duration::from_millis(found.iter().map(|member| member.accumulated_cpu_time()).sum()),
            memory: found.iter().map(|member| member.memory()).sum(),
        })
    }

    /// Ends all members without a word, and returns when they are gone.
    pub(in crate::server) fn kill(&mut self) {
        self.job = None;
        self.wait_until_gone(GRACE);
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always, in words.
    pub(in crate::server) fn pause(&mut self, _: bool) -> Result<(), String> {
        Err("Windows has no way to let a process stand still".to_owned())
    }

    /// Ends all members, and returns when they are gone.
    pub(in crate::server) fn stop(&mut self, grace: Duration) {
        if self.input.take().is_some() {
            self.wait_until_gone(grace);
        }
        self.kill();
    }

    /// Ends all members, and gives the last lines that they printed.
    pub(in crate::server) fn last_words(&mut self) -> Vec<String> {
        self.stop(GRACE);
        self.leader.last_words()
    }

    fn members(&self) -> Vec<Pid> {
        let members = self.job.as_ref().and_then(|job| job.query_process_id_list().ok()).unwrap_or_default();
        members.into_iter().map(Pid::from).collect()
    }

    fn wait_until_gone(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while (self.command_ended().is_none() || !self.members().is_empty()) && Instant::now() < deadline {
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop(GRACE);
    }
}

/// A single process that we did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: Pid,
    /// When it was started, in seconds since 1970: an id may be given to another process later.
    started: u64,
}

impl Process {
    /// Finds a process whose CPU time and memory can be read.
    ///
    /// # Errors
    /// Why they cannot be read, and what to do.
    pub fn find(id: u32) -> Result<Process, String> {
        let at = Pid::from_u32(id);
        match look_at_processes(&[at]).as_ref().and_then(|seen| seen.process(at)) {
            Some(found) if found.memory() == 0 => Err(format!(
                "the memory of process {id} cannot be read: it is another user's or the system's"
            )),
            Some(found) => Ok(Process { id: at, started: found.start_time() }),
            None => Err(format!(
                "there is no process {id} on this machine: `--pid` takes the id of the server's process"
            )),
        }
    }

    /// What it has used so far. None once it has ended.
    pub(in crate::server) fn resources(self) -> Option<Resources> {
        let system = look_at_processes(&[self.id])?;
        let found = system.process(self.id).filter(|found| found.start_time() == self.started)?;
        let cpu = Duration::from_millis(found.accumulated_cpu_time());
        Some(Resources { cpu, memory: found.memory() })
    }
}

/// The line for [`Group::start_line`] that runs a program with these arguments.
///
/// # Errors
/// A sentence, where no line can hold one of them.
pub(crate) fn command_line(words: &[&str]) -> Result<String, String> {
    // `cmd` finds variables and ends of quotes also between quotes.
    match words.iter().find(|word| word.contains(['"', '%', '\n', '\r']) || word.ends_with('\\')) {
        Some(word) => Err(format!("failed to write a command: `cmd` cannot be given {word:?}")),
        None => Ok(words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ")),
    }
}

/// `exit code 1`; those by which Windows ends a process, `exit code 0xC0000005`.
pub(in crate::server) fn in_words(status: ExitStatus) -> String {
    match status.code() {
        Some(code @ 0..) => format!("exit code {code}"),
        Some(code) => format!("exit code {code:#010X}"),
        None => "no exit code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts the line and waits until it has printed something, for which it has time until the test is killed.
    fn running(line: &str) -> Group {
        let group =
            Group::start_line(line, [("PORT".to_owned(), "4711".to_owned())], None).expect("cmd runs");
        while group.output().tail().is_empty() {
            thread::yield_now();
        }
        group
    }

    #[test]
    fn a_command_runs_with_a_port_and_is_ended_with_what_it_started() {
        let mut group = running("echo %PORT%&& ping -n 1000 127.0.0.1");
        assert_eq!(group.output().tail().first().map(String::as_str), Some("4711"));
        assert_eq!(group.ended(), None);
        while group.members().len() < 2 {
            thread::yield_now();
        }
        assert!(group.resources().is_some_and(|used| used.memory > 0));
        group.stop(GRACE);
        assert!(group.members().is_empty() && group.command_ended().is_some());
        assert_eq!(group.resources(), None);
    }

    #[test]
    fn a_command_that_ends_is_told_with_its_exit_code_and_its_last_lines() {
        let mut group = running("echo no such table& exit 4");
        while group.command_ended().is_none() {
            thread::yield_now();
        }
        assert_eq!(group.ended().map(in_words).as_deref(), Some("exit code 4"));
        assert_eq!(group.last_words(), ["no such table"]);
    }

    #[test]
    fn a_line_of_words_comes_to_a_program_as_these_words() {
        let line = command_line(&["cmd", "/C", "echo", "two words", "a&b"]).expect("they can be written");
        let mut group = running(&line);
        let words = group.last_words().join(" ");
        assert!(words.contains("two words") && words.contains("a&b"), "{words}");
        for wrong in ["100%", "a\"b", "C:\\", "two\nlines"] {
            assert!(command_line(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_process_is_found_by_its_id_alone() {
        let found = Process::find(std::process::id()).expect("it runs");
        assert!(found.resources().is_some_and(|used| used.memory > 0));
        assert!(Process::find(u32::MAX - 1).is_err_and(|why| why.starts_with("there is no process ")));
    }
}
