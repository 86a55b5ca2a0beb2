//! Every bundled scenario holds against the reference server, and fails against one that is broken on purpose: a
//! scenario that no fault can trip would prove nothing.

#[path = "support/play.rs"]
mod support;

use std::path::Path;

use sockrates::document::Source;
use sockrates::report::result::ThresholdResult;
use sockrates::scenario::{self, Axis, Overrides, Range, Surroundings};
use sockrates::verdict::Status;
use support::{Played, bundled, bundled_in, each, play};

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

/// The load scenarios, a size in which they take a few seconds, and a fault that each has to notice in it.
const LOAD: [(&str, &[&str], &str); 10] = [
    ("load/big-payloads", &["--clients", "20", "--duration", "3s", "--rate", "30/s"], "room-ignored"),
    ("load/big-room", &["--clients", "60", "--duration", "3s", "--rate", "10/s"], "event-lost"),
    (
        "load/busy-rooms",
        &["--clients", "50", "--duration", "3s", "--rate", "60/s", "--set", "rooms=5"],
        "leave-ignored",
    ),
    ("load/idle-crowd", &["--clients", "30", "--duration", "3s", "--rate", "10/s"], "ack-data-lost"),
    (
        "load/polling-crowd",
        &["--clients", "20", "--duration", "3s", "--rate", "20/s", "--set", "rooms=4"],
        "room-ignored",
    ),
    ("load/reconnect-storm", &["--clients", "21", "--duration", "2s"], "recovery-misses-packet"),
    ("load/slow-consumers", &["--clients", "16", "--duration", "3s"], "event-lost"),
    ("load/small-rooms", &["--clients", "20", "--duration", "3s", "--rate", "40/s"], "room-ignored"),
    ("load/soak", &["--clients", "20", "--duration", "3s", "--set", "rooms=5"], "room-ignored"),
    (
        "load/tenants",
        &["--clients", "21", "--duration", "3s", "--rate", "40/s", "--set", "tenants=4"],
        "rooms-span-namespaces",
    ),
];

/// The same of the scenarios for searches.
const CAPACITY: [(&str, &[&str], &str); 5] = [
    ("capacity/clients", &["--clients", "20", "--duration", "3s", "--rate", "40/s"], "room-ignored"),
    ("capacity/connects", &["--set", "connects=10"], "auth-missing"),
    ("capacity/joins", &["--clients", "21", "--duration", "3s", "--rate", "40/s"], "leave-ignored"),
    (
        "capacity/messages",
        &["--clients", "20", "--duration", "3s", "--rate", "40/s"],
        "broadcast-includes-sender",
    ),
    ("capacity/room-size", &["--set", "size=20", "--duration", "3s"], "event-lost"),
];

#[test]
fn every_load_scenario_holds_in_a_small_size() {
    each(&sized(), |(name, size, _)| {
        let played = play([&[*name], *size].concat(), []);
        let wrong = wrong(&played)?;
        if wrong.is_empty() { Ok(()) } else { Err(format!("{name}: {wrong:#?}\n{}", played.output)) }
    });
}

#[test]
fn every_load_scenario_notices_a_broken_server() {
    each(&sized(), |(name, size, fault)| {
        let played = play([&[*name], *size, &["--fault", fault]].concat(), []);
        match notices(&played)? {
            true => Ok(()),
            false => Err(format!("{name} does not notice {fault}\n{}", played.output)),
        }
    });
}

fn sized() -> Vec<(&'static str, &'static [&'static str], &'static str)> {
    LOAD.into_iter().chain(CAPACITY).collect()
}

/// What is wrong with the server: checks that failed or did not succeed, deliveries that are not right, demands on what is
/// counted that were not met. How quick the server is, a busy machine does not tell, and for a percentile there are few
/// samples in a small size: of demands on a time, nothing is said. Nor is anything of whether the machine was too busy
/// for a valid measurement, as long as the run was played to its end.
fn wrong(played: &Played) -> Result<Vec<String>, String> {
    let result = played.result()?;
    let mut wrong: Vec<String> = played.failed_steps().into_iter().map(str::to_owned).collect();
    wrong.extend(played.delivery_faults().into_iter().map(str::to_owned));
    let of_times = |threshold: &&ThresholdResult| threshold.unit == "us";
    let missed = result.thresholds.iter().filter(|threshold| !threshold.met && !of_times(threshold));
    wrong.extend(missed.map(|threshold| threshold.text.clone()));
    if !matches!(result.verdict.status, Status::Passed | Status::Failed | Status::Invalid) {
        wrong.push(result.verdict.reason.clone());
    }
    Ok(wrong)
}

/// Whether a step or the audit shows that the server is broken, and the verdict says that the run did not pass. A
/// threshold alone would be no proof.
fn notices(played: &Played) -> Result<bool, String> {
    let is_seen = !played.failed_steps().is_empty() || !played.delivery_faults().is_empty();
    let status = played.result()?.verdict.status;
    Ok(is_seen && matches!(status, Status::Failed | Status::Invalid))
}

#[test]
fn of_every_load_scenario_it_is_said_what_trips_it() {
    assert_eq!(bundled_in("load"), LOAD.map(|(name, ..)| name.trim_start_matches("load/")));
    assert_eq!(bundled_in("capacity"), CAPACITY.map(|(name, ..)| name.trim_start_matches("capacity/")));
}

#[test]
fn every_scenario_for_a_search_says_what_is_raised_and_has_a_place_for_all_of_it() {
    for (name, ..) in CAPACITY {
        let path = Path::new("scenarios").join(name).with_extension("yaml");
        let read = |vars| {
            let surroundings = Surroundings::of(&path).overriding(Overrides { vars, ..Overrides::default() });
            scenario::read(&Source::read(&path).expect("it is there"), &surroundings)
                .expect("it is a good one")
        };
        let scenario = read(Vec::new());
        let Range { axis: Some(axis), from: Some(_), to: Some(to) } = scenario.capacity.clone() else {
            panic!("{name} does not say what is raised: {:?}", scenario.capacity);
        };
        assert!(!scenario.thresholds.is_empty(), "nothing could break {name}");
        if let Axis::Variable(variable) = axis {
            let clients = read(vec![(variable, to.to_string())]).clients();
            assert!(clients > scenario.clients(), "{name}: {clients}");
        }
    }
}

#[test]
fn every_bundled_scenario_holds_against_the_reference_server() {
    each(&bundled(), |name| {
        let played = play([name.as_str()], []);
        let (wrong, result) = (wrong(&played)?, played.result()?);
        let is_good = wrong.is_empty() && result.verdict.status != Status::Failed;
        if is_good { Ok(()) } else { Err(format!("{name}: {wrong:#?}\n{}", played.output)) }
    });
}

#[test]
fn every_bundled_scenario_holds_with_another_number_of_clients_or_says_why_it_cannot() {
    each(&bundled(), |name| {
        let played = play([name.as_str(), "--clients", "40"], []);
        let sentences = [
            "the steps of the scenario count on the number of its clients",
            "is for groups of more than one",
        ];
        if played.code == Some(2) && sentences.iter().any(|sentence| played.output.contains(sentence)) {
            return Ok(());
        }
        let wrong = wrong(&played)?;
        if wrong.is_empty() { Ok(()) } else { Err(format!("{name}: {wrong:#?}\n{}", played.output)) }
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
        match notices(&played)? && !played.failed_steps().is_empty() {
            true => Ok(()),
            false => Err(format!("no step of {name} notices {fault}\n{}", played.output)),
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
