//! What machine this is, for the results: read from the system, as far as it tells.

use std::fs;
use std::thread::available_parallelism;

use nix::sys::resource::{Resource, getrlimit};

use crate::report::result::Environment;

/// Where this program runs. `co_located`: whether the server under test runs here, too, where that is known.
pub(super) fn environment(co_located: Option<bool>) -> Environment {
    let cpus = available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX));
    let processor = fs::read_to_string("/proc/cpuinfo").ok();
    let processor = processor.and_then(|text| field(&text, "model name").map(str::to_owned));
    let memory = fs::read_to_string("/proc/meminfo").ok();
    let kilobytes = |text: &str| field(text, "MemTotal")?.strip_suffix("kB")?.trim().parse::<u64>().ok();
    Environment {
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpus,
        processor,
        memory: memory.and_then(|text| Some(kilobytes(&text)? * 1024)),
        open_files: getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft),
        co_located,
    }
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
    fn a_field_is_found_by_its_name_alone() {
        let text = "model\t: 1\nmodel name\t: A processor: the fast one\nMemTotal:  123 kB\n";
        assert_eq!(field(text, "model name"), Some("A processor: the fast one"));
        assert_eq!(field(text, "MemTotal"), Some("123 kB"));
        assert_eq!(field(text, "name"), None);
    }
}
