//! Whether this machine has files and ports enough for a cast, told before the first connection.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::scenario::Scenario;
use crate::session::Transport;

/// Files that the program needs for itself.
const OWN_FILES: u64 = 64;

/// Raises the soft limit of open files as far as the scenario needs and the hard limit allows.
///
/// # Errors
/// A sentence that says what is needed, what is there, and what to do.
pub fn prepare(scenario: &Scenario, transport: Transport) -> Result<(), String> {
    let needed = files(scenario, transport) + OWN_FILES;
    raise(needed).map_err(|hard| {
        format!(
            "the cast needs {needed} open files, and this process may have {hard}: \
             raise the hard limit (`ulimit -Hn`), or make the cast smaller"
        )
    })
}

/// How many files the clients of a scenario have open at most, where this is the transport of those that name none.
pub fn files(scenario: &Scenario, transport: Transport) -> u64 {
    scenario
        .cast
        .iter()
        .map(|group| match group.transport.unwrap_or(transport) {
            Transport::Websocket => u64::from(group.count),
            // Two HTTP connections.
            Transport::Polling => 2 * u64::from(group.count),
            // And for a moment the WebSocket beside them.
            Transport::Upgrade => 3 * u64::from(group.count),
        })
        .sum()
}

/// Raises the soft limit of open files to this, if it is lower.
///
/// # Errors
/// The hard limit, when that does not allow it.
pub fn raise(needed: u64) -> Result<(), u64> {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    let enough =
        needed <= soft || (needed <= hard && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok());
    if enough { Ok(()) } else { Err(hard) }
}
