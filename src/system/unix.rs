//! Linux and its kin. What only Linux tells stands in `/proc`, which others do not have.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::OpenFiles;
use crate::session::Shortage;

/// The name of this machine.
pub(crate) fn machine_name() -> Option<String> {
    nix::sys::utsname::uname().ok().and_then(|uname| uname.nodename().to_str().map(str::to_owned))
}

/// The model of the processors.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    field(&text, "model name").map(str::to_owned)
}

/// The memory of the machine, in bytes.
pub(crate) fn memory() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")
}

/// How many processors the machine has, whether or not this program may use all of them.
pub(crate) fn processors() -> Option<usize> {
    fs::read_to_string("/proc/stat").ok().map(|text| processors_of(&text).max(1))
}

fn processors_of(text: &str) -> usize {
    let numbered = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    text.lines().filter(numbered).count()
}

/// The time that all processors together have worked since the machine was started.
pub(crate) fn busy() -> Option<Duration> {
    busy_of(&fs::read_to_string("/proc/stat").ok()?)
}

/// `cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`, in hundredths of a second. What other machines on the same hardware take
/// (steal) is missing here as well.
fn busy_of(text: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    let busy = [0, 1, 2, 5, 6, 7].into_iter().filter_map(|field| fields.get(field)).sum::<u64>();
    Some(Duration::from_millis(busy * 10))
}

/// The processor time of this process.
pub(crate) fn process_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// The processor time of this thread.
pub(crate) fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// The most memory that this process has had, in bytes. What `getrusage` says is inherited by a program that takes the place of
/// another, so under `cargo run` it may be cargo's: it counts only where the system does not say better.
pub(crate) fn memory_peak() -> u64 {
    let own = fs::read_to_string("/proc/self/status").ok().and_then(|text| kilobytes(&text, "VmHWM"));
    own.unwrap_or_else(|| {
        let peak = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss());
        u64::try_from(peak).unwrap_or_default() * UNIT_OF_PEAK
    })
}

/// What `getrusage` counts memory in: bytes on the systems of Apple, kilobytes elsewhere.
const UNIT_OF_PEAK: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };

/// How many files this process may have open. None where that has no limit that is known.
pub(crate) fn open_files() -> Option<OpenFiles> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(now, most)| OpenFiles { now, most })
}

/// Asks for so many open files. False where the system refuses.
pub(crate) fn raise_open_files(to: OpenFiles) -> bool {
    setrlimit(Resource::RLIMIT_NOFILE, to.now, to.most).is_ok()
}

/// The first and the last port that connections come from.
pub(crate) fn local_ports() -> Option<(u64, u64)> {
    edges(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

/// `FIRST LAST`.
fn edges(range: &str) -> Option<(u64, u64)> {
    let mut edges = range.split_whitespace().filter_map(|edge| edge.parse::<u64>().ok());
    Some((edges.next()?, edges.next()?))
}

/// Makes a folder that only this user can read.
///
/// # Errors
/// Those of the system, also where it is there already.
pub(crate) fn create_private_folder(at: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(at)
}

/// The signals that ask this process to end.
pub(crate) fn stop_signals() -> Vec<i32> {
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    [SIGINT, SIGTERM].into_iter().chain(hangup).collect()
}

/// Whether whoever started us had this signal ignored: what `nohup` starts goes on when its terminal is gone.
fn is_ignored(signal: i32) -> bool {
    let ignored = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    ignored.is_some_and(|ignored| ignored >> (signal - 1) & 1 == 1)
}

/// Whether this error of a connect says that it has only begun.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EINPROGRESS as i32)
}

/// What this machine lacks, if an error of a socket says so.
pub(crate) fn shortage(error: &io::Error) -> Option<Shortage> {
    match error.raw_os_error().map(Errno::from_raw)? {
        Errno::EADDRNOTAVAIL | Errno::EADDRINUSE => Some(Shortage::Port),
        Errno::EMFILE | Errno::ENFILE => Some(Shortage::File),
        _ => None,
    }
}

/// The bytes in a line `name : value kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    Some(field(text, name)?.strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The value of the first line `name : value`.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_processors_are_not_busy() {
        let text = "cpu  100 20 30 5000 600 1 2 3 0 0\ncpu0 50 10 15 2500 300 0 1 1 0 0\n";
        assert_eq!(busy_of(text), Some(Duration::from_millis(1_560)));
        assert_eq!(busy_of("intr 1 2 3\n"), None);
        assert_eq!(processors_of(text), 1);
    }

    #[test]
    fn a_field_is_found_by_its_name_alone() {
        let text = "model\t: 1\nmodel name\t: A processor: the fast one\nMemTotal:  123 kB\n";
        assert_eq!(field(text, "model name"), Some("A processor: the fast one"));
        assert_eq!(field(text, "MemTotal"), Some("123 kB"));
        assert_eq!(field(text, "name"), None);
        assert_eq!((kilobytes(text, "MemTotal"), kilobytes(text, "model")), (Some(123 * 1024), None));
        let status = "Name:\tsockrates\nVmPeak:\t 900 kB\nVmHWM:\t  300 kB\nVmRSS:\t 200 kB\n";
        assert_eq!(kilobytes(status, "VmHWM"), Some(300 * 1024));
    }

    #[test]
    fn a_range_of_ports_has_two_edges() {
        assert_eq!(edges("32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!(edges("what is this"), None);
    }
}
