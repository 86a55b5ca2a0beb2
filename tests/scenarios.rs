//! Every bundled scenario holds against the reference server, and fails against one that is broken on purpose: a
//! scenario that no fault can trip would prove nothing.

#[path = "support/play.rs"]
mod support;

use support::{bundled, each, play};

/// Under which faults of the reference server (`sockrates serve --list-faults`) a scenario has to fail.
const TRIPPED_BY: [(&str, &[&str]); 12] = [
    ("broadcast-except-sender", &["broadcast-includes-sender", "room-ignored", "join-late", "event-lost"]),
    ("chat", &["broadcast-includes-sender", "room-ignored"]),
    ("emit-to-everyone", &["attachments-reversed", "namespace-leak", "event-lost"]),
    ("members-only", &["guard-open", "guard-data-missing", "namespace-leak", "broadcast-includes-sender"]),
    ("multi-tenant", &["namespace-leak", "room-ignored", "join-late"]),
    (
        "namespaces",
        &[
            "namespace-leak",
            "sid-shared-across-namespaces",
            "guard-open",
            "auth-missing",
            "room-ignored",
            "join-late",
        ],
    ),
    ("ordered-delivery", &["order-swapped", "upgrade-loses-packets", "upgrade-doubles-packets"]),
    ("own-space", &["namespace-leak", "room-ignored", "broadcast-includes-sender"]),
    ("private-message", &["room-ignored", "upgrade-keeps-poll-waiting"]),
    ("proof-of-life", &["auth-missing", "rooms-lost-early", "disconnect-told-twice"]),
    ("reconnect-storm", &["recovery-misses-packet", "recovery-forgets-rooms", "room-ignored"]),
    (
        "rooms",
        &[
            "room-ignored",
            "union-delivers-twice",
            "except-ignored",
            "leave-ignored",
            "join-late",
            "rooms-lost-early",
            "disconnect-told-twice",
        ],
    ),
];

#[test]
fn every_bundled_scenario_holds_against_the_reference_server() {
    each(&bundled(), |name| {
        let played = play([name.as_str()], []);
        match played.code {
            Some(0) => Ok(()),
            code => Err(format!("{name} ended with {code:?}\n{}", played.output)),
        }
    });
}

#[test]
fn every_bundled_scenario_fails_against_a_broken_server() {
    let mut cases: Vec<(&str, &str)> = Vec::new();
    for (name, faults) in TRIPPED_BY {
        cases.extend(faults.iter().map(|fault| (name, *fault)));
    }
    each(&cases, |(name, fault)| {
        let played = play([*name, "--fault", *fault], []);
        match (played.code, played.failed_steps().as_slice()) {
            (Some(1), [_, ..]) => Ok(()),
            (Some(1), []) => Err(format!("only a threshold of {name} noticed {fault}\n{}", played.output)),
            (code, _) => Err(format!("{name} ended with {code:?} under {fault}\n{}", played.output)),
        }
    });
}

#[test]
fn of_every_bundled_scenario_it_is_said_which_faults_trip_it() {
    assert_eq!(bundled(), TRIPPED_BY.map(|(name, _)| name));
    assert!(TRIPPED_BY.iter().all(|(_, faults)| !faults.is_empty()));
}

#[test]
fn an_end_that_comes_together_with_the_last_words_is_seen_at_once() {
    let played = play(["tests/scenarios/rude/closed.yaml", "--fault", "close-frame-missing"], []);
    assert_eq!(played.code, Some(0), "{}", played.output);
}
