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
    let clients: u64 = scenario
        .cast
        .iter()
        .map(|group| match group.transport.unwrap_or(transport) {
            Transport::Websocket => u64::from(group.count),
            // Two HTTP connections.
            Transport::Polling => 2 * u64::from(group.count),
            // And for a moment the WebSocket beside them.
            Transport::Upgrade => 3 * u64::from(group.count),
        })
        .sum();
    let needed = clients + OWN_FILES;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    if needed <= soft {
        return Ok(());
    }
    if needed <= hard && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok() {
        return Ok(());
    }
    Err(format!(
        "the cast needs {needed} open files, and this process may have {hard}: \
         raise the hard limit (`ulimit -Hn`), or make the cast smaller"
    ))
}
