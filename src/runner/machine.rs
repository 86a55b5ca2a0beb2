//! The machine on which sockrates runs, for the results, as far as the system describes it.

use std::thread::available_parallelism;

use crate::report::result::Environment;
use crate::system;

/// Where this program runs. `co_located`: whether the server under test runs here, too, where that is known.
pub(super) fn environment(co_located: Option<bool>) -> Environment {
    Environment {
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpus: u32::try_from(usable()).unwrap_or(u32::MAX),
        processor: system::processor(),
        memory: system::memory(),
        open_files: system::open_files().map(|files| files.now),
        co_located,
    }
}

/// How many processors the machine has, whether or not this program may use all of them; where that is not told, those that it may use.
pub(super) fn processors() -> usize {
    system::processors().unwrap_or_else(usable)
}

fn usable() -> usize {
    available_parallelism().map_or(1, |cpus| cpus.get())
}
