//! Whether this machine has enough files and ports for the clients. Checked before the first connection.

use crate::scenario::Scenario;
use crate::session::Transport;
use crate::system::{OpenFiles, local_ports, open_files, raise_open_files};

/// Files that the program needs for itself.
const OWN_FILES: u64 = 64;

/// Raises the soft limit of open files as far as this share of the scenario's clients needs and the hard limit allows, and looks whether there are
/// ports enough for connections from so many addresses.
///
/// # Errors
/// A sentence that says what is needed, what is there, and what to do.
pub(super) fn prepare(
    scenario: &Scenario,
    transport: Transport,
    sources: usize,
    nodes: &[&str],
    share: f64,
) -> Result<(), String> {
    let connections = (files(scenario, transport) as f64 * share).ceil() as u64;
    let needed = connections + OWN_FILES + files_of_links(scenario, connections, nodes);
    raise(needed).map_err(|hard| {
        format!(
            "the clients need {needed} open files, and this process may have {hard}: \
             raise the hard limit (`ulimit -Hn`), or use fewer clients"
        )
    })?;
    local_ports().map_or(Ok(()), |range| enough_ports(connections, range, sources))
}

/// Each address gives the ports from the first to the last towards one server.
fn enough_ports(connections: u64, (first, last): (u64, u64), sources: usize) -> Result<(), String> {
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
            Transport::Websocket | Transport::Webtransport => u64::from(group.count),
            // Two HTTP connections.
            Transport::Polling => 2 * u64::from(group.count),
            // And for a moment the WebSocket, or the socket of QUIC, beside them.
            Transport::Upgrade | Transport::UpgradeToWebtransport => 3 * u64::from(group.count),
        })
        .sum()
}

/// How many files the links of a scenario have open at most: a readiness queue, what wakes it and a listener each, and the two
/// ends of each connection. Every client may go through the link to its node; a link to
/// a broker has few connections.
fn files_of_links(scenario: &Scenario, connections: u64, nodes: &[&str]) -> u64 {
    const OWN: u64 = 3;
    const OF_COMMANDS: u64 = 64;
    let has_clients = scenario.links.iter().any(|link| nodes.contains(&link.to.as_str()));
    let of_clients = if has_clients { 2 * connections } else { 0 };
    let links = scenario.links.iter().map(|link| match nodes.contains(&link.to.as_str()) {
        true => OWN,
        false => OWN + 2 * OF_COMMANDS,
    });
    links.sum::<u64>() + of_clients
}

/// Raises the soft limit of open files to this, if it is lower.
///
/// # Errors
/// The hard limit, when that does not allow it.
pub(super) fn raise(needed: u64) -> Result<(), u64> {
    let Some(OpenFiles { now, most }) = open_files() else { return Ok(()) };
    let enough = needed <= now || (needed <= most && raise_open_files(OpenFiles { now: needed, most }));
    if enough { Ok(()) } else { Err(most) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::scenario::{Surroundings, read};

    #[test]
    fn a_link_needs_two_files_for_each_connection_through_it() {
        let text = "name: x\nclients: { crowd: 500 }\nlinks: { wire: a, db: 127.0.0.1:9 }\nscript: [ { all: connect } ]\n";
        let source = Source { name: "x.yaml".to_owned(), text: text.to_owned() };
        let scenario = read(&source, &Surroundings::without_files()).expect("it is right");
        let of = |nodes: &[&str]| files_of_links(&scenario, 500, nodes);
        assert_eq!(of(&["a", "b"]), 1000 + 3 + 3 + 128);
        assert_eq!(of(&["b"]), 2 * (3 + 128), "no client goes through them");
    }

    #[test]
    fn each_source_address_gives_its_ports() {
        let range = (32_768, 60_999);
        assert_eq!(enough_ports(28_232, range, 0), Ok(()));
        assert_eq!(enough_ports(56_464, range, 2), Ok(()));
        let refusal = enough_ports(60_000, range, 1).expect_err("one address has not so many");
        assert!(refusal.contains("need 60000 ports"), "{refusal}");
        assert!(refusal.contains("one address of this machine has 28232: name 3 addresses"), "{refusal}");
    }
}
