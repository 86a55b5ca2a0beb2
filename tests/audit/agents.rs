//! The audit between clients of several machines: it finds what it finds on one, and calls it the same.

use super::peers::{Peer, nats_server};
use super::support::{each, play};
use super::{BACK, BUSY, CHURN, FOUND, proves_much};

#[test]
fn every_fault_is_found_between_two_agents_and_called_by_its_kind() {
    if nats_server().is_none() {
        return;
    }
    each(&FOUND, |(fault, scenario, words)| {
        let played = play([*scenario, "--fault", *fault, "--agents", "local:2"], []);
        let output = played.output.split_whitespace().collect::<Vec<_>>().join(" ");
        match (played.code, output.contains(words) && output.contains(" sent ")) {
            (Some(1), true) => Ok(()),
            (code, _) => {
                Err(format!("{scenario} ended with {code:?} under {fault} on two agents\n{}", played.output))
            }
        }
    });
}

#[test]
fn a_healthy_server_is_not_accused_by_four_agents() {
    if nats_server().is_none() {
        return;
    }
    each(&[BUSY, BACK, CHURN], |scenario| proves_much(&[scenario, "--agents", "local:4"], &[]));
}

#[test]
fn the_official_server_is_not_accused_by_four_agents() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    if nats_server().is_none() {
        return;
    }
    let proof = proves_much(&[CHURN, "--server", &server, "--agents", "local:4"], &[("CSR", "1")]);
    assert_eq!(proof, Ok(()));
}
