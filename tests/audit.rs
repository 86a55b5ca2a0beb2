//! The audit of the deliveries, end to end: scenarios without a single `expect`, in which nothing but the audit looks who
//! receives what. It finds what is broken, names it, and accuses nobody whose server is correct.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use peers::Peer;
use reference_server::faults::REGISTRY;
use support::{each, play};

const BUSY: &str = "tests/audit/busy.yaml";
const BACK: &str = "tests/audit/back.yaml";
const CHURN: &str = "tests/audit/churn.yaml";

/// Faults of the reference server, a scenario under which each shows, and what the report then says.
const FOUND: [(&str, &str, &str); 23] = [
    ("room-ignored", BUSY, "to another room"),
    ("broadcast-includes-sender", BUSY, "to the sender"),
    ("event-lost", BUSY, "delivery missing"),
    ("order-swapped", BUSY, "delivery disordered"),
    ("leave-ignored", BUSY, "after a leave"),
    ("join-late", BUSY, "delivery missing"),
    ("namespace-leak", BUSY, "to another namespace"),
    ("union-delivers-twice", BUSY, "delivery duplicate"),
    ("everyone-hears-twice", BUSY, "delivery duplicate"),
    ("except-ignored", BUSY, "to a room that was left out"),
    ("recovery-misses-packet", BACK, "delivery missing"),
    ("recovery-repeats", BACK, "delivery duplicate"),
    ("delivery-rarely-lost", BUSY, "delivery missing"),
    ("delivery-rarely-doubled", BUSY, "delivery duplicate"),
    ("delivery-rarely-swapped", BUSY, "delivery disordered"),
    ("delivery-rarely-misdirected", BUSY, "to another room"),
    ("sender-rarely-included", BUSY, "to the sender"),
    ("leave-lags", BUSY, "after a leave"),
    ("join-lags", BUSY, "delivery missing"),
    ("room-rarely-mixed-up", BUSY, "to another namespace"),
    ("recovery-rarely-misses", BACK, "delivery missing"),
    ("recovery-rarely-repeats", BACK, "delivery duplicate"),
    ("newest-rarely-skipped", BUSY, "delivery missing"),
];

#[test]
fn every_fault_is_found_and_called_by_its_kind() {
    each(&FOUND, |(fault, scenario, words)| {
        let played = play([*scenario, "--fault", *fault], []);
        let told = played.output.contains(words) && played.output.contains("sent ");
        match (played.code, played.failed_steps().as_slice()) {
            (Some(1), []) if told => Ok(()),
            (code, steps) => {
                Err(format!("{scenario} ended with {code:?} under {fault}: {steps:?}\n{}", played.output))
            }
        }
    });
}

#[test]
fn every_fault_that_shows_only_under_load_is_found() {
    let found: Vec<&str> = FOUND.iter().map(|(fault, ..)| *fault).collect();
    let missed: Vec<&str> = REGISTRY
        .iter()
        .filter(|fault| fault.under_load && !found.contains(&fault.name))
        .map(|fault| fault.name)
        .collect();
    assert!(missed.is_empty(), "nobody looks for {missed:?}");
}

#[test]
fn a_healthy_server_is_not_accused_whoever_comes_and_goes() {
    each(&[BUSY, BACK, CHURN], |scenario| {
        examine(scenario, &play([*scenario, "--json", &json(scenario)], []), &json(scenario))
    });
}
