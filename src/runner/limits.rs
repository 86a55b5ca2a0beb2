//! Whether this machine has enough files and ports for the clients. Checked before the first connection.

use std::fs;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::scenario::Scenario;
use crate::session::Transport;

/// Files that the program needs for itself.
const OWN_FILES: u64 = 64;

/// Raises the soft limit of open files as far as the scenario needs and the hard limit allows, and looks whether there are
/// ports enough for connections from so many addresses.
///
/// # Errors
/// A sentence that says what is needed, what is there, and what to do.
pub(super) fn prepare(scenario: &Scenario, transport: Transport, sources: usize) -> Result<(), String> {
    let connections = files(scenario, transport);
    let needed = connections + OWN_FILES;
    raise(needed).map_err(|hard| {
        format!(
            "the clients need {needed} open files, and this process may have {hard}: \
             raise the hard limit (`ulimit -Hn`), or use fewer clients"
        )
    })?;
    match fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range") {
        Ok(range) => enough_ports(connections, &range, sources),
        Err(_) => Ok(()),
    }
}

/// Each address gives the ports of this range, `FIRST LAST`, towards one server.
fn enough_ports(connections: u64, range: &str, sources: usize) -> Result<(), String> {
    let mut edges = range.split_whitespace().filter_map(|edge| edge.parse::<u64>().ok());
    let (Some(first), Some(last)) = (edges.next(), edges.next()) else { return Ok(()) };
    let (each, sources) = ((last + 1).saturating_sub(first), sources.max(1) as u64);
    if connections <= each * sources {
        return Ok(());
    }
    let addresses = connections.div_ceil(each.max(1));
    let has = match sources {
        1 => "one address of this machine has".to_owned(),
        _ => format!("the {sources} addresses that are named have"),
    };
    Err(format!(
        "the clients need {connections} ports towards the server, and {has} {}: name {addresses} addresses with `--source` \
         (127.0.0.2,127.0.0.3,… for a server on this machine), or use fewer clients",
        each * sources
    ))
}

/// How many files the clients of a scenario have open at most, where this is the transport of those that name none.
pub(super) fn files(scenario: &Scenario, transport: Transport) -> u64 {
    scenario
        .groups
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
pub(super) fn raise(needed: u64) -> Result<(), u64> {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    let enough =
        needed <= soft || (needed <= hard && setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_ok());
    if enough { Ok(()) } else { Err(hard) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_address_gives_its_ports() {
        let range = "32768\t60999\n";
        assert_eq!(enough_ports(28_232, range, 0), Ok(()));
        assert_eq!(enough_ports(56_464, range, 2), Ok(()));
        let refusal = enough_ports(60_000, range, 1).expect_err("one address has not so many");
        assert!(refusal.contains("need 60000 ports"), "{refusal}");
        assert!(refusal.contains("one address of this machine has 28232: name 3 addresses"), "{refusal}");
        assert_eq!(enough_ports(60_000, "what is this", 1), Ok(()));
    }
}
