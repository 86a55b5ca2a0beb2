//! The bundled scenarios against servers that nobody here wrote, and an application with words of its own.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use peers::Peer;
use support::{bundled, each, play};

/// The fixtures' own times are short, so that a test can watch a heartbeat. A scenario is about something else.
const PATIENT: [(&str, &str); 6] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
    ("CSR", "1"),
    ("CSR_MAX_DISCONNECTION", "60000"),
];

/// What socketioxide does otherwise: the scenario, the steps in which it shows, and why.
const SOCKETIOXIDE: [(&str, &[&str], &str); 4] = [
    (
        "members-only",
        &["connects and is refused"],
        "the error of a middleware becomes its text; there is no place for data",
    ),
    ("namespaces", &["hears no `said`"], "the sockets of one connection have the same id in every namespace"),
    (
        "ordered-delivery",
        &["expects `message-back` 1000 times", "hears no `message-back`"],
        "each event is handled in a task of its own, so that answers overtake each other",
    ),
    (
        "reconnect-storm",
        &[
            "reconnects and is recovered",
            "expects `news` 5 times",
            "emits `t:who` and waits for its acknowledgement",
            "expects `news`",
        ],
        "there is no connection state recovery",
    ),
];

#[test]
fn every_bundled_scenario_holds_against_the_official_server() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    each(&bundled(), |name| {
        let played = play([name.as_str(), "--server", &server], PATIENT);
        match played.code {
            Some(0) => Ok(()),
            code => Err(format!("{name} ended with {code:?}\n{}", played.output)),
        }
    });
}

#[test]
fn every_bundled_scenario_but_the_known_gaps_holds_against_socketioxide() {
    let Some(server) = Peer::Socketioxide.command_line() else { return };
    each(&bundled(), |name| {
        let played = play([name.as_str(), "--server", &server], PATIENT);
        let unlisted = || Err(format!("{name} ended with {:?}\n{}", played.code, played.output));
        let Some((_, steps, why)) = SOCKETIOXIDE.iter().find(|(known, ..)| known == name) else {
            return if played.code == Some(0) { Ok(()) } else { unlisted() };
        };
        match (played.code, played.failed_steps()) {
            (Some(0), _) => Err(format!("{name} holds, although {why}: take it off the list")),
            (Some(1), failed) if failed.iter().all(|step| steps.contains(step)) => Ok(()),
            _ => unlisted(),
        }
    });
}

#[test]
fn an_application_with_words_of_its_own_is_tested_through_a_contract() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let played = play(["tests/peers/node/chat-app.yaml", "--server", &server], []);
    assert_eq!(played.code, Some(0), "{}", played.output);
}
