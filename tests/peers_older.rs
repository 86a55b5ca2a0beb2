//! Servers of Socket.IO 2, which speak Engine.IO 3, and a server that speaks both versions to clients of both.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use peers::Peer;
use support::{bundled, each, play};

const TRANSPORTS: [&str; 3] = ["websocket", "polling", "upgrade"];

/// The fixtures' own times are short, so that a test can watch a heartbeat. A scenario is about something else.
const PATIENT: [(&str, &str); 4] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
];

/// What python-socketio 4 cannot do: the scenario, and why.
const PYTHON: [(&str, &str); 4] = [
    ("members-only", "the query behind the name of a namespace is dropped"),
    (
        "namespaces",
        "the query behind the name of a namespace is dropped, and a client has one id in all namespaces",
    ),
    (
        "ordered-delivery",
        "a payload of more than sixteen packets is refused, and the fixture sends no bursts",
    ),
    ("own-space", "a client has one id in all namespaces, and any namespace may be joined"),
];

/// The bundled scenarios that say something about a server of Socket.IO 2, each over every transport. Connection state
/// recovery came with Socket.IO 4. The chat of four hundred is a load: it is played with fewer.
fn scenarios() -> Vec<(String, &'static str)> {
    let names = bundled().into_iter().filter(|name| name != "reconnect-storm" && name != "chat");
    names.flat_map(|name| TRANSPORTS.map(|transport| (name.clone(), transport))).collect()
}

fn holds(server: &str, name: &str, further: &[&str], settings: &[(&str, &str)]) -> Result<(), String> {
    let arguments = [name, "--server", server].into_iter().chain(further.iter().copied());
    let played = play(arguments, PATIENT.into_iter().chain(settings.iter().copied()));
    match played.code {
        Some(0) => Ok(()),
        code => Err(format!("{name} {further:?} ended with {code:?}\n{}", played.output)),
    }
}

#[test]
fn every_bundled_scenario_but_recovery_holds_against_socket_io_2_over_every_transport() {
    let Some(server) = Peer::Node2Fixture.command_line() else { return };
    each(&scenarios(), |(name, transport)| holds(&server, name, &["--transport", transport], &[]));
}

#[test]
fn every_bundled_scenario_but_recovery_holds_for_clients_of_socket_io_2_on_a_server_of_today() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    each(&scenarios(), |(name, transport)| {
        let arguments = ["--protocol", "3", "--transport", transport];
        holds(&server, name, &arguments, &[("ALLOW_EIO3", "1")])
    });
}

#[test]
fn every_bundled_scenario_but_the_known_gaps_holds_against_python_socketio_4() {
    let Some(server) = Peer::Python4Fixture.command_line() else { return };
    let possible: Vec<_> =
        scenarios().into_iter().filter(|(name, _)| !PYTHON.iter().any(|(gap, _)| gap == name)).collect();
    each(&possible, |(name, transport)| holds(&server, name, &["--transport", transport], &[]));
}

#[test]
fn clients_of_both_versions_hear_each_other_in_one_room_and_the_audit_judges_all_of_them() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    let settings = PATIENT.into_iter().chain([("ALLOW_EIO3", "1")]);
    let played = play(["tests/peers/node/both-versions.yaml", "--server", &server], settings);
    assert_eq!(played.code, Some(0), "{}", played.output);
    assert_eq!(played.delivery_faults(), [""; 0]);
    let judged = played.judged().expect("there were deliveries");
    // A busy machine leaves more of them in flight together.
    assert!(judged > 75.0, "{judged} %");
}

#[test]
fn a_load_on_socket_io_2_is_audited() {
    let Some(server) = Peer::Node2Fixture.command_line() else { return };
    for transport in TRANSPORTS {
        // Thresholds are for a machine with nothing else to do.
        let arguments = ["load/busy-rooms", "--server", &server, "--transport", transport, "--checks-only"];
        let load = ["--clients", "60", "--duration", "6s", "--set", "rooms=5"];
        let played = play(arguments.into_iter().chain(load), PATIENT);
        assert!(matches!(played.code, Some(0 | 4)), "{}", played.output);
        assert_eq!(played.delivery_faults(), [""; 0]);
        let judged = played.judged().expect("there were deliveries");
        assert!(judged > 80.0, "{judged} % over {transport}");
    }
}

#[test]
fn the_report_tells_which_version_the_server_speaks() {
    let Some(server) = Peer::Node2Fixture.command_line() else { return };
    let played = play(["private-message", "--server", &server], PATIENT);
    let result = played.result().expect("one scenario");
    let notes = &result.target.notes;
    assert!(notes.iter().any(|note| note.contains("speaks Engine.IO 3")), "{notes:?}");
}
