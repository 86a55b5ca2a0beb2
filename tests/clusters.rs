//! The bundled scenarios for clusters hold against three healthy nodes of the reference server, and each of its faults between
//! nodes is noticed by one of them, within thirty seconds and with the pair of nodes.

#[path = "support/play.rs"]
mod support;

use reference_server::faults::{REGISTRY, Shows};
use sockrates::verdict::Status;
use support::{Played, bundled_in, each, play};

/// Enough for each fault that shows in one of a thousand messages.
const SHORT: &[&str] = &["--duration", "15s"];
/// Two rounds of those who go from room to room.
const ROOMS: &[&str] = &["--duration", "9s"];

/// Enough for what is broken after a second, and some time afterwards.
const BROKEN: &[&str] = &["--duration", "8s", "--set", "calm=1s", "--set", "away=500ms"];

/// The scenarios, and a size in which they show what they have to.
const SCENARIOS: [(&str, &[&str]); 12] = [
    ("broadcast-acks", &[]),
    ("broker-restart", BROKEN),
    ("everyone-hears-everyone", SHORT),
    ("node-killed", BROKEN),
    ("not-sticky", &[]),
    ("private-message", &[]),
    ("recovery-elsewhere", &["--duration", "5s"]),
    ("rolling-restart", &["--duration", "3s", "--set", "pause=500ms"]),
    ("rooms-over-nodes", ROOMS),
    ("slow-broker", &["--duration", "15s", "--set", "calm=1s"]),
    ("sockets-from-afar", &[]),
    ("while-it-breaks", &["--duration", "4s"]),
];

/// What notices each fault: the scenario, and the kind of wrong deliveries that the audit finds, `whole` where the nodes never hear
/// each other again, or nothing where a step fails.
const NOTICED_BY: [(&str, &str, &str); 21] = [
    ("node-deaf", "everyone-hears-everyone", "delivery missing"),
    ("bus-doubles", "everyone-hears-everyone", "delivery duplicate"),
    ("bus-reorders", "everyone-hears-everyone", "delivery disordered"),
    ("bus-drops-1-in-1000", "everyone-hears-everyone", "delivery missing"),
    ("big-messages-dropped-between-nodes", "everyone-hears-everyone", "delivery missing"),
    ("rooms-leak-across-nodes", "rooms-over-nodes", "delivery leaked"),
    ("except-ignored-across-nodes", "rooms-over-nodes", "delivery leaked"),
    ("join-spreads-late", "rooms-over-nodes", "delivery missing"),
    ("leave-not-spread", "rooms-over-nodes", "delivery leaked"),
    ("join-elsewhere-ignored", "sockets-from-afar", ""),
    ("disconnect-elsewhere-ignored", "sockets-from-afar", ""),
    ("list-misses-elsewhere", "sockets-from-afar", ""),
    ("ack-broadcast-counts-own-node", "broadcast-acks", ""),
    ("recovery-forgets-elsewhere", "recovery-elsewhere", "delivery missing"),
    ("recovery-repeats-elsewhere", "recovery-elsewhere", "delivery duplicate"),
    ("empty-node-drops", "recovery-elsewhere", ""),
    ("doubles-after-bus-restart", "broker-restart", "delivery duplicate"),
    ("deaf-after-bus-restart", "broker-restart", "whole"),
    ("dead-node-awaited", "node-killed", ""),
    ("node-deaf", "rolling-restart", "whole"),
    ("node-deaf", "slow-broker", "whole"),
];

#[test]
fn every_scenario_for_clusters_holds_against_healthy_nodes() {
    each(&SCENARIOS, |(name, size)| {
        let played = on_three_nodes(name, size);
        match played.result()?.verdict.status {
            // While a broker is away, a busy machine may take longer than the spread.
            Status::Passed => Ok(()),
            // The machine may be too busy for a valid measurement, and is not what is looked at.
            Status::Invalid if played.delivery_faults().is_empty() => Ok(()),
            _ => Err(format!("{name}\n{}", played.output)),
        }
    });
}

#[test]
fn every_fault_between_nodes_is_noticed() {
    each(&NOTICED_BY, |(fault, scenario, kind)| {
        let size = SCENARIOS.iter().find(|(name, _)| name == scenario).map_or(SHORT, |(_, size)| size);
        let soon: &[&str] = if *kind == "whole" { &["--set", "heal=3s"] } else { &[] };
        let played = on_three_nodes(scenario, &[size, soon, &["--fault", fault]].concat());
        let seen = match *kind {
            "" => !played.failed_steps().is_empty(),
            "whole" => played.output.contains("the nodes did not hear each other within"),
            kind => played.delivery_faults().contains(&kind) && is_between_nodes(&played),
        };
        let status = played.result()?.verdict.status;
        match seen && matches!(status, Status::Failed | Status::Invalid) {
            true => Ok(()),
            false => Err(format!("{scenario} does not notice {fault}\n{}", played.output)),
        }
    });
}

/// Whether what is wrong is told of pairs of different nodes, and of none with itself.
fn is_between_nodes(played: &Played) -> bool {
    let told = |pair: &str| {
        played.output.lines().any(|line| line.trim_start().starts_with(pair) && line.contains('✗'))
    };
    ["from a", "from b", "from c"].into_iter().any(told)
}

#[test]
fn every_scenario_and_every_fault_for_clusters_has_its_place_here() {
    assert_eq!(bundled_in("cluster"), SCENARIOS.map(|(name, _)| name));
    let across = REGISTRY.iter().filter(|fault| fault.shows == Shows::AcrossNodes);
    // What breaks a clause of the suite, `tests/conformance.rs` holds.
    let untold = across
        .filter(|fault| fault.breaks.is_empty())
        .map(|fault| fault.name)
        .filter(|name| !NOTICED_BY.iter().any(|(fault, ..)| fault == name));
    assert_eq!(untold.collect::<Vec<_>>(), [""; 0]);
}

fn on_three_nodes(name: &str, more: &[&str]) -> Played {
    let name = format!("cluster/{name}");
    play([&[&*name, "--nodes", "3"], more].concat(), [])
}
