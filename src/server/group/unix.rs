//! A process group of our own: started, watched, stopped as a whole, and never left behind.
//!
//! The group is its own, so that Ctrl-C in the terminal reaches only us and a server stays up until the report is
//! made. Its lifeline is a pipe that we hold: when it closes, however we came to our end, the group ends too. Stopping
//! is `SIGTERM` to all members, and `SIGKILL` to those who are still there after the grace.
//!
//! A daemon leaves the group for one of its own. It still has the end of the lifeline that every command of a group inherits, so
//! it is found by that and counts as a member.

use std::fs;
use std::io::{self, PipeWriter, Read, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::super::output::Output;
use super::{GRACE, LOOK_AGAIN, Leader, Resources};
use crate::scenario::StopSignal;

/// What the guard of a group does: it waits for the end of the lifeline, and then ends the group. It outlives the
/// `SIGTERM` of an orderly stop, so that a group is ended even if we do not get to its `SIGKILL`, and the `SIGHUP` with which the
/// system wakes a group that stands still when we are killed.
const GUARD: &str = "trap '' TERM HUP; echo; exec >&2; read -r _
    away() { for p in /proc/[0-9]*; do [ $p/fd/7 -ef /proc/self/fd/0 ] && kill $1 ${p#/proc/}; done; }
    kill -TERM 0; away -TERM; sleep 1; away -KILL; kill -KILL 0";

/// How a command line is started: with the lifeline at a number that programs leave alone, and nothing to read.
const KEPT: &str = "exec 7<&0 0</dev/null; exec sh -c \"$1\"";

/// That number.
const KEPT_AT: &str = "7";

/// The end of the lifeline that is ours.
#[derive(Debug)]
enum Lifeline {
    /// The leader's standard input.
    Input { _end: ChildStdin },
    /// A pipe whose other end the leader, whatever it starts, and the guard have.
    Pipe { _end: PipeWriter },
}

/// Which pipe it is: its device and its number there.
type Kept = (u64, u64);

/// A running process group. Stopped when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Leader,
    id: Pid,
    lifeline: Option<Lifeline>,
    /// Reads the other end of the lifeline where the leader does not: a member of the group, but not of the server.
    guard: Option<Child>,
    /// What those have inherited who left the group.
    kept: Option<Kept>,
    /// By which signal its members are asked to end.
    farewell: Signal,
}

impl Group {
    /// Starts a program that ends by itself when its standard input does.
    pub(in crate::server) fn start(mut command: Command) -> io::Result<Self> {
        command.stdin(Stdio::piped());
        let mut group = Self::lead(command, Output::default())?;
        group.lifeline = group.leader.input().map(|end| Lifeline::Input { _end: end });
        Ok(group)
    }

    /// Starts a command line with `sh`, its standard input empty, with these variables in its environment beside our own. Its
    /// output is searched for a text that says that it is ready, if one does.
    pub(crate) fn start_line(
        line: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        ready: Option<&str>,
    ) -> io::Result<Self> {
        let mut command = Command::new("sh");
        let (theirs, ours) = pipe()?;
        let kept = fs::metadata(format!("/proc/self/fd/{}", theirs.as_raw_fd()));
        command.args(["-c", KEPT, "sh", line]).envs(environment).stdin(theirs.try_clone()?);
        let mut group = Self::lead(command, Output::awaiting(ready))?;
        group.kept = kept.ok().map(|pipe| (pipe.dev(), pipe.ino()));
        group.lifeline = Some(Lifeline::Pipe { _end: ours });
        let mut guard = Command::new("sh");
        guard.arg("-c").arg(GUARD).process_group(group.id.as_raw());
        guard.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = guard.spawn()?;
        if let Some(mut ready) = guard.stdout.take() {
            // From its first byte on, no `SIGTERM` ends it.
            ready.read_exact(&mut [0])?;
        }
        group.guard = Some(guard);
        Ok(group)
    }

    fn lead(mut command: Command, output: Output) -> io::Result<Self> {
        command.process_group(0);
        let leader = Leader::start(command, output)?;
        let id = i32::try_from(leader.process.id())
            .map_err(|_| io::Error::other("the process id is out of range"))?;
        let (id, farewell) = (Pid::from_raw(id), Signal::SIGTERM);
        Ok(Self { lifeline: None, leader, id, guard: None, kept: None, farewell })
    }

    /// The same, whose members are asked to end by this signal.
    pub(in crate::server) fn stopped_by(mut self, farewell: StopSignal) -> Self {
        self.farewell = match farewell {
            StopSignal::Term => Signal::SIGTERM,
            StopSignal::Int => Signal::SIGINT,
            StopSignal::Quit => Signal::SIGQUIT,
        };
        self
    }

    /// What it prints.
    pub(in crate::server) fn output(&self) -> &Output {
        &self.leader.output
    }

    /// How the process that was started has ended, if it has. One that went on in the background has not.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.command_ended()?;
        (!status.success() || self.daemons().is_empty()).then_some(status)
    }

    /// The same for a command that has done its work when it ends, whatever goes on in the background.
    pub(in crate::server) fn command_ended(&mut self) -> Option<ExitStatus> {
        self.leader.ended()
    }

    /// CPU time and memory of all members. None where the system does not tell, and when nobody lives any more.
    pub(in crate::server) fn resources(&self) -> Option<Resources> {
        let members = self.members().filter(|members| !members.is_empty())?;
        Some(Resources {
            cpu: members.iter().map(|member| member.cpu).sum(),
            memory: members.iter().map(|member| member.memory).sum(),
        })
    }

    /// Ends all members without a word, and returns when they are gone.
    pub(in crate::server) fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait_until_gone(GRACE);
        self.stop(GRACE);
    }

    /// Lets all members stand still, or go on.
    ///
    /// # Errors
    /// In words, where the system cannot.
    pub(in crate::server) fn pause(&mut self, is_still: bool) -> Result<(), String> {
        self.signal(if is_still { Signal::SIGSTOP } else { Signal::SIGCONT });
        // Who has to end the group if we come to our end must not stand still with it.
        if let Some(guard) = self.guard.as_ref().and_then(|guard| i32::try_from(guard.id()).ok()) {
            let _ = kill(Pid::from_raw(guard), Signal::SIGCONT);
        }
        Ok(())
    }

    /// Ends all members, and returns when they are gone.
    pub(in crate::server) fn stop(&mut self, grace: Duration) {
        self.signal(self.farewell);
        // Who stands still hears of it when it goes on.
        self.signal(Signal::SIGCONT);
        if self.guard.is_none() {
            self.lifeline = None;
        }
        if !self.wait_until_gone(grace) {
            self.signal(Signal::SIGKILL);
            self.wait_until_gone(grace.max(GRACE));
        }
        if let Some(mut guard) = self.guard.take() {
            // One that is gone already is only to be waited for.
            let _ = guard.kill();
            let _ = guard.wait();
        }
        self.lifeline = None;
    }

    /// Ends all members, and gives the last lines that they printed.
    pub(in crate::server) fn last_words(&mut self) -> Vec<String> {
        self.stop(GRACE);
        self.leader.last_words()
    }

    /// The living members, the guard left out. None where there is no /proc to read them from.
    fn members(&self) -> Option<Vec<Member>> {
        members(self.id, self.kept, self.guard.as_ref().map(Child::id))
    }

    /// Those who left the group.
    fn daemons(&self) -> Vec<Pid> {
        let left = || self.members().into_iter().flatten().filter(|member| !member.is_in_group);
        let found: Vec<Pid> = left().map(|member| member.id).collect();
        // One that was just starting another and ended may have been passed by.
        if found.is_empty() && self.kept.is_some() { left().map(|member| member.id).collect() } else { found }
    }

    /// True when no member lives any more; false when the time is over before.
    fn wait_until_gone(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(LOOK_AGAIN);
        }
        true
    }

    fn is_alive(&mut self) -> bool {
        let leader = self.command_ended().is_none();
        let others = match self.members() {
            Some(members) => !members.is_empty(),
            // Without /proc, ask whether there is somebody to signal; the guard would always be.
            None => self.guard.is_none() && killpg(self.id, None).is_ok(),
        };
        leader || others
    }

    fn signal(&mut self, signal: Signal) {
        // Once nobody is left, the number may belong to a new group: do not touch it.
        if self.is_alive() {
            let _ = killpg(self.id, signal);
            for daemon in self.daemons() {
                let _ = kill(daemon, signal);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.stop(GRACE);
    }
}

/// A living member of a process group.
struct Member {
    id: Pid,
    /// Or has left it, and is known by the lifeline.
    is_in_group: bool,
    cpu: Duration,
    memory: u64,
    /// In ticks since the start of the machine.
    started: u64,
}

/// All members of the group but one that are not zombies. None where there is no /proc to read them from.
fn members(group: Pid, kept: Option<Kept>, spared: Option<u32>) -> Option<Vec<Member>> {
    let processes = fs::read_dir("/proc").ok()?;
    let us = std::process::id();
    let numeric = |name: &str| name.parse::<u32>().is_ok_and(|id| Some(id) != spared && id != us);
    let names = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Some(names.filter(|name| numeric(name)).filter_map(|name| member(&name, Some((group, kept)))).collect())
}

/// Whether a process has inherited this.
fn keeps(process: &str, kept: Kept) -> bool {
    let at = fs::metadata(format!("/proc/{process}/fd/{KEPT_AT}"));
    at.is_ok_and(|pipe| (pipe.dev(), pipe.ino()) == kept)
}

/// A single process that we did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    id: u32,
    /// When it was started, in ticks since the start of the machine: an id may be given to another process later.
    started: u64,
}

impl Process {
    /// Finds a process whose CPU time and memory can be read.
    ///
    /// # Errors
    /// Why they cannot be read, and what to do.
    pub fn find(id: u32) -> Result<Process, String> {
        let raw = i32::try_from(id).map_or(i32::MAX, |id| id);
        match (member(&id.to_string(), None), kill(Pid::from_raw(raw), None)) {
            (Some(Member { memory: 0, .. }), _) => Err(format!(
                "the memory of process {id} cannot be read: it is another user's or the system's"
            )),
            (Some(found), _) => Ok(Process { id, started: found.started }),
            (None, Err(Errno::ESRCH)) => Err(format!(
                "there is no process {id} on this machine: `--pid` takes the id of the server's process"
            )),
            (None, _) => Err(format!(
                "the CPU time and memory of process {id} cannot be read from /proc/{id}: run sockrates as the same user"
            )),
        }
    }

    /// What it has used so far, with its children that have ended. None once it has ended.
    pub(in crate::server) fn resources(self) -> Option<Resources> {
        let found = member(&self.id.to_string(), None).filter(|found| found.started == self.started)?;
        Some(Resources { cpu: found.cpu, memory: found.memory })
    }
}

fn member(process: &str, of: Option<(Pid, Option<Kept>)>) -> Option<Member> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in parentheses and may contain some; after them come the state and then numbers.
    let fields: Vec<_> = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let state = fields.first()?;
    let is_theirs = |group: Pid| number(2) == u64::try_from(group.as_raw()).ok();
    let is_in_group = of.is_some_and(|(group, _)| is_theirs(group));
    let is_other = || of.is_some_and(|(_, kept)| !kept.is_some_and(|kept| keeps(process, kept)));
    if matches!(*state, "Z" | "X") || !is_in_group && is_other() {
        return None;
    }
    let id = Pid::from_raw(process.parse().ok()?);
    // utime, stime, and those of children that were waited for, in ticks, of which Linux shows 100 a second.
    let ticks: u64 = (11..15).filter_map(number).sum();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|text| text.split_ascii_whitespace().next()?.parse::<u64>().ok());
    let (cpu, memory) = (Duration::from_millis(ticks * 10), kilobytes.unwrap_or(0) * 1024);
    Some(Member { id, is_in_group, cpu, memory, started: number(19)? })
}

/// The line for [`Group::start_line`] that runs a program with these arguments.
///
/// # Errors
/// A sentence, where no line can hold one of them.
pub(crate) fn command_line(words: &[&str]) -> Result<String, String> {
    let words = shlex::try_join(words.iter().copied())
        .map_err(|error| format!("failed to write a command: {error}"))?;
    Ok(format!("exec {words}"))
}

/// `exit code 1`, `signal SIGKILL`. A shell tells the signal that ended its command by a code above 128.
pub(in crate::server) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => match Signal::try_from(code - 128) {
            Ok(signal) => format!("exit code {code} ({signal})"),
            Err(_) => format!("exit code {code}"),
        },
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => format!("signal {signal}"),
            Err(_) => format!("signal {number}"),
        },
        (None, None) => "no exit code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts the line and waits until it has printed something, for which it has time until the test is killed.
    fn running(line: &str) -> Group {
        let group = Group::start_line(line, [("PORT".to_owned(), "4711".to_owned())], None).expect("sh runs");
        while group.output().tail().is_empty() {
            thread::yield_now();
        }
        group
    }

    fn alive(id: Pid) -> usize {
        members(id, None, None).expect("there is a /proc").len()
    }

    #[test]
    fn a_command_runs_in_a_group_of_its_own_with_a_port_and_nothing_to_read() {
        let mut group = running("cat; echo $PORT; exec sleep 1000");
        assert_eq!(group.output().tail(), ["4711"]);
        assert_eq!(group.ended(), None);
        assert_ne!(group.id, nix::unistd::getpgrp());
    }

    #[test]
    fn stopping_ends_the_children_of_the_command_too() {
        let mut group = running("sleep 1000 & sleep 1000 & echo up; wait");
        assert!(alive(group.id) >= 3);
        group.stop(GRACE);
        assert_eq!(alive(group.id), 0);
        assert_eq!(group.ended().map(in_words).as_deref(), Some("signal SIGTERM"));
    }

    #[test]
    fn who_does_not_listen_to_sigterm_is_killed() {
        let mut group = running("trap '' TERM; (sleep 1000; sleep 1000) & echo up; wait; sleep 1000");
        group.stop(Duration::from_millis(20));
        assert_eq!(alive(group.id), 0);
        assert_eq!(group.ended().map(in_words).as_deref(), Some("signal SIGKILL"));
    }

    #[test]
    fn a_server_has_time_to_end_by_itself() {
        let mut group = running("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done");
        group.stop(GRACE);
        assert_eq!(group.ended().map(in_words).as_deref(), Some("exit code 3"));
    }

    #[test]
    fn the_signal_that_ended_the_command_of_a_shell_is_named() {
        let mut group = running("echo up; sh -c 'kill -9 $$'; exit $?");
        while group.ended().is_none() {
            thread::yield_now();
        }
        assert_eq!(group.ended().map(in_words).as_deref(), Some("exit code 137 (SIGKILL)"));
    }

    #[test]
    fn dropping_ends_the_group() {
        let group = running("sleep 1000 & echo up; wait");
        let id = group.id;
        drop(group);
        assert_eq!(alive(id), 0);
    }

    #[test]
    fn the_group_ends_with_its_lifeline_even_if_nobody_stops_it() {
        let mut group = running("sleep 1000 & echo up; wait");
        // What the system does when we are killed.
        group.lifeline = None;
        assert!(group.wait_until_gone(GRACE * 4));
    }

    #[test]
    fn a_group_that_lost_its_lifeline_has_time_to_end_by_itself() {
        let mut group = running("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.01; done");
        group.lifeline = None;
        assert!(group.wait_until_gone(GRACE * 4));
        group.output().settle(GRACE);
        assert!(group.output().tail().contains(&"bye".to_owned()), "{:?}", group.output().tail());
    }

    #[test]
    fn a_stop_that_is_broken_off_leaves_nobody_behind() {
        let mut group = running("trap '' TERM; echo up; while :; do sleep 1000; done");
        group.signal(Signal::SIGTERM);
        // We are gone before our `SIGKILL`.
        group.lifeline = None;
        assert!(group.wait_until_gone(GRACE * 4));
    }

    #[test]
    fn a_group_that_stands_still_and_ignores_a_hangup_ends_with_its_lifeline() {
        let mut group = running("trap '' HUP TERM; echo up; while :; do sleep 1000; done");
        group.pause(true).expect("it can be paused");
        // What the system does when we are killed, and this group has nobody any more who could let it go on.
        group.lifeline = None;
        group.signal(Signal::SIGHUP);
        assert!(group.wait_until_gone(GRACE * 4));
    }

    #[test]
    fn what_the_command_leaves_behind_is_ended_after_the_command_itself() {
        let mut group = running("sleep 1000 & echo up");
        while group.ended().is_none() {
            thread::yield_now();
        }
        assert!(alive(group.id) > 0);
        group.stop(GRACE);
        assert_eq!(alive(group.id), 0);
    }

    /// A command that goes into the background, as daemons do, and its process there.
    fn in_the_background(ends: &str) -> (Group, Pid) {
        let group = running(&format!("setsid sh -c 'echo $$; {ends}' &"));
        let id = group.output().tail().first().and_then(|line| line.parse().ok()).expect("it told its id");
        (group, Pid::from_raw(id))
    }

    #[test]
    fn a_daemon_goes_on_until_the_group_is_stopped_and_is_ended_with_it() {
        let (mut group, daemon) = in_the_background("exec sleep 1000");
        while group.command_ended().is_none() {
            thread::yield_now();
        }
        assert_eq!((group.ended(), group.daemons()), (None, vec![daemon]));
        assert!(group.resources().is_some_and(|used| used.memory > 0));
        group.stop(GRACE);
        assert!(group.daemons().is_empty() && group.ended().is_some_and(|status| status.success()));
    }

    #[test]
    fn a_daemon_ends_with_the_lifeline_and_one_that_ends_by_itself_is_told() {
        let (mut group, _) = in_the_background("trap \"\" TERM; while :; do sleep 1000; done");
        group.lifeline = None;
        assert!(group.wait_until_gone(GRACE * 4));
        let (mut group, daemon) = in_the_background("exec sleep 1000");
        kill(daemon, Signal::SIGKILL).expect("it lives");
        while group.ended().is_none() {
            thread::yield_now();
        }
    }

    #[test]
    fn the_memory_of_a_running_command_is_known() {
        let group = running("echo up; while :; do sleep 1000; done");
        let resources = group.resources().expect("there is a /proc");
        assert!(resources.memory > 100_000, "{resources:?}");
    }

    #[test]
    fn the_cpu_time_of_a_busy_command_grows() {
        let group = running("echo up; while :; do :; done");
        let cpu = || group.resources().expect("there is a /proc").cpu;
        let before = cpu();
        while cpu() <= before {
            thread::yield_now();
        }
    }
}
