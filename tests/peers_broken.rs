//! An official server that is broken on purpose, one documented operation at a time: the suite fails it, and passes it healthy.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use std::fs;

use peers::Peer;
use sockrates::conformance::{Verdict, json::from_json, result::SuiteResult};
use support::{conform, each};

/// Heartbeats of which no machine misses one: what is broken are operations of the API, but for a heartbeat that has times of its own.
const SETTINGS: [(&str, &str); 6] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
    ("CSR", "1"),
    ("CSR_MAX_DISCONNECTION", "2000"),
];

/// The breakages of `tests/peers/node/broken.js`, and the cases that have to fail by them. Only these are played: every other case
/// about the same operation would fail slowly, by waiting for what does not come.
const BREAKAGES: [(&str, &str); 63] = [
    ("broadcast-to-the-sender", "broadcast/socket-*"),
    ("emit-to-everyone", "broadcast/socket-emit-reaches-one"),
    ("broadcast-misses-one", "broadcast/io-emit-reaches-everyone,broadcast/flag-*"),
    ("broadcast-twice", "broadcast/io-emit-reaches-everyone"),
    ("broadcast-drops-arguments", "broadcast/arguments-*"),
    ("local-nowhere", "broadcast/flag-local"),
    ("compress-nowhere", "broadcast/flag-compress"),
    ("volatile-nowhere", "volatile/delivered-to-the-ready"),
    ("room-ignored", "broadcast/io-to-room-*"),
    ("first-of-several-rooms", "broadcast/several-rooms-*"),
    ("last-of-several-rooms", "broadcast/several-rooms-*"),
    ("twice-to-members-of-two-rooms", "broadcast/several-rooms-*"),
    ("except-ignored", "broadcast/except-*"),
    ("except-ignored-beside-a-room", "broadcast/except-*"),
    ("join-does-nothing", "rooms/join-*"),
    ("join-takes-the-first", "rooms/join-several"),
    ("join-takes-its-time", "rooms/join-takes-effect-at-once"),
    ("join-leaves-the-others", "rooms/*,sockets/filters"),
    ("leave-does-nothing", "rooms/leave"),
    ("leave-takes-everybody-along", "rooms/leave"),
    ("own-room-is-empty", "rooms/own-room,broadcast/private-message"),
    ("rooms-gone-too-early", "rooms/rooms-at-the-end"),
    ("rooms-kept-at-the-end", "rooms/*"),
    ("rooms-shared-by-namespaces", "rooms/rooms-are-per-namespace"),
    ("namespaces-not-apart", "namespaces/broadcast-stays-in-its-namespace"),
    ("any-namespace-is-dynamic", "namespaces/dynamic-*"),
    ("disconnect-ends-the-others", "namespaces/putting-out-*"),
    ("middleware-data-lost", "middleware/refusal-*"),
    ("middleware-message-lost", "middleware/refusal-*"),
    ("middleware-not-asked", "middleware/*"),
    ("refused-but-inside", "middleware/refused-*"),
    ("auth-of-another", "handshake-data/*,connection/auth-is-delivered"),
    ("auth-is-query", "handshake-data/*"),
    ("query-lost", "handshake-data/query"),
    ("headers-lost", "handshake-data/headers"),
    ("acknowledged-twice", "events/ack-once,events/ack"),
    ("acknowledged-at-every-call", "events/ack-once"),
    ("acknowledged-with-one-argument", "events/ack*"),
    ("acknowledged-without-data", "events/ack,acks/server-asks"),
    ("acknowledged-with-one-list", "events/ack,acks/server-asks"),
    ("acknowledged-to-another", "events/ack*"),
    ("answer-with-one-argument", "acks/several-arguments"),
    ("answer-of-any-namespace", "acks/*"),
    ("no-timeout", "acks/no-answer-in-time,broadcast-acks/some-*"),
    ("timeout-is-no-error", "acks/no-answer-in-time,broadcast-acks/some-*"),
    ("answers-of-a-broadcast-lost", "broadcast-acks/*"),
    ("one-answer-of-a-broadcast", "broadcast-acks/all-answer"),
    ("sockets-unfiltered", "sockets/filters"),
    ("sockets-join-does-nothing", "sockets/join"),
    ("sockets-leave-does-nothing", "sockets/leave"),
    ("disconnect-sockets-does-nothing", "sockets/disconnect"),
    ("disconnect-sockets-always-closes", "sockets/disconnect"),
    ("disconnect-sockets-never-closes", "sockets/disconnect-and-close"),
    ("disconnect-does-nothing", "namespaces/putting-out-*"),
    ("disconnect-never-closes", "sockets/disconnect-and-close"),
    ("disconnecting-told-twice", "namespaces/loss-*,reasons/told-once"),
    ("events-out-of-order", "order/*,events/order"),
    ("events-lost", "order/*,events/*"),
    ("events-twice", "order/*,events/*"),
    ("bytes-become-json", "broadcast/binary-*,binary/event"),
    ("pings-half-as-often", "heartbeat/five-cycles"),
    ("never-recovered", "recovery/*"),
    ("recovered-without-what-was-missed", "recovery/missed-*"),
];

#[test]
fn every_operation_that_is_broken_fails_the_suite_with_the_baseline_and_without() {
    let Some(server) = Peer::NodeBroken.command_line() else { return };
    each(&BREAKAGES, |(breakage, only)| {
        let played = play(&server, breakage, only);
        // A case that fails ends a run without a baseline with 1, and the baseline knows none of these.
        let has_failed = played.suite.cases.iter().any(|case| case.verdict == Verdict::Fail);
        match played.code {
            Some(1) if has_failed => Ok(()),
            code => Err(format!("BREAK={breakage} ended with {code:?}\n{}", played.output)),
        }
    });
}

#[test]
fn the_same_cases_pass_where_nothing_is_broken() {
    let Some(server) = Peer::NodeBroken.command_line() else { return };
    let only: Vec<&str> = BREAKAGES.iter().map(|(_, only)| *only).collect();
    let played = play(&server, "", &only.join(","));
    assert_eq!(played.code, Some(0), "{}", played.output);
    let failed: Vec<String> = played
        .suite
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::Fail)
        .map(|case| case.label())
        .collect();
    assert!(failed.is_empty(), "{failed:?}\n{}", played.output);
}

/// What came of some cases.
struct Played {
    code: Option<i32>,
    output: String,
    suite: SuiteResult,
}

fn play(server: &str, breakage: &str, only: &str) -> Played {
    let results = tempfile::NamedTempFile::new().expect("a file can be written");
    let json = results.path().to_str().expect("the path is UTF-8");
    let arguments = [
        ["--server", server],
        ["--baseline", "node"],
        ["--only", only],
        ["--recovery-time", "2s"],
        ["--json", json],
    ];
    let settings = SETTINGS.into_iter().chain([("BREAK", breakage)]);
    let played = conform(arguments.into_iter().flatten(), settings);
    let text = fs::read_to_string(results.path()).expect("the results were written");
    let suite = from_json(&text).ok().and_then(|suites| suites.into_iter().next());
    let suite = suite.unwrap_or_else(|| panic!("BREAK={breakage} {only}: {}", played.output));
    Played { code: played.code, output: played.output, suite }
}
