//! The machine on which sockrates runs, for the results, as far as the system describes it.

use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};
use nix::sys::time::TimeValLike;

use crate::report::result::Environment;

/// Where this program runs. `co_located`: whether the server under test runs here, too, where that is known.
pub(super) fn environment(co_located: Option<bool>) -> Environment {
    let cpus = available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX));
    let processor = fs::read_to_string("/proc/cpuinfo").ok();
    let processor = processor.and_then(|text| field(&text, "model name").map(str::to_owned));
    let memory = fs::read_to_string("/proc/meminfo").ok();
    Environment {
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpus,
        processor,
        memory: memory.and_then(|text| kilobytes(&text, "MemTotal")),
        open_files: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
        co_located,
    }
}

/// The time that all processors together have worked since the machine was started.
pub(super) fn busy() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    busy_of(&text)
}

/// `cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`, in hundredths of a second. What other machines on the same hardware take
/// (steal) is missing here as well.
fn busy_of(text: &str) -> Option<Duration> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect();
    let busy = [0, 1, 2, 5, 6, 7].into_iter().filter_map(|field| fields.get(field)).sum::<u64>();
    Some(Duration::from_millis(busy * 10))
}

/// How many processors the machine has, whether or not this program may use all of them.
pub(super) fn processors() -> usize {
    fs::read_to_string("/proc/stat").map_or(1, |text| processors_of(&text).max(1))
}

fn processors_of(text: &str) -> usize {
    let numbered = |line: &&str| {
        line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    text.lines().filter(numbered).count()
}

/// The processor time of this process.
pub(super) fn own_cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// The most memory that this process has had, in bytes. What `getrusage` says is inherited by a program that takes the place of
/// another, so under `cargo run` it may be cargo's: it counts only where the system does not say better.
pub(super) fn own_memory_peak() -> u64 {
    let own = fs::read_to_string("/proc/self/status").ok().and_then(|text| kilobytes(&text, "VmHWM"));
    own.unwrap_or_else(|| {
        let peak = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss());
        u64::try_from(peak).unwrap_or_default() * 1024
    })
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
    }

    #[test]
    fn the_memory_of_this_process_is_its_own() {
        let peak = own_memory_peak();
        assert!((1 << 20..1 << 40).contains(&peak), "{peak}");
        let status = "Name:\tsockrates\nVmPeak:\t 900 kB\nVmHWM:\t  300 kB\nVmRSS:\t 200 kB\n";
        assert_eq!(kilobytes(status, "VmHWM"), Some(300 * 1024));
    }
}
