//! The third transport: the handshake in a packet, the session of an upgrade in one, and the rest as over a WebSocket.

use super::talk::{OPEN_WEBSOCKET, Talk};
use crate::session::{Channel, Lost, Transport};

/// The open packet of a server that offers both upgrades, with an id that JSON has to escape.
const OPEN: &str =
    r#"0{"sid":"s\"1","upgrades":["websocket","webtransport"],"pingInterval":300,"pingTimeout":200}"#;

const DIAL: &str = "dial /socket.io/?EIO=4&transport=webtransport&sid=s%221";

/// A session with an Engine.IO connection over WebTransport. What it said is forgotten.
fn webtransport() -> Talk {
    let mut talk = Talk::opening(Transport::Webtransport);
    talk.dialed();
    assert_eq!(talk.said(), ["send 0"]);
    assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
    talk
}

#[test]
fn the_client_asks_for_the_handshake_in_a_packet() {
    let mut talk = Talk::new();
    talk.session.open(&mut talk.wire, Transport::Webtransport);
    let said = talk.said();
    assert_eq!(said.last().map(String::as_str), Some("dial /socket.io/?EIO=4&transport=webtransport"));
    let mut talk = webtransport().joined();
    talk.emit("/", r#"["a"]"#);
    talk.emit_binary("/", r#"["b",{"_placeholder":true,"num":0}]"#, &[b"\x07"]);
    assert_eq!(
        talk.said(),
        [r#"send 42["a"]"#, r#"send 451-["b",{"_placeholder":true,"num":0}]"#, "send [07]"]
    );
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.said(), ["send 3"]);
}

#[test]
fn the_end_of_the_session_is_the_end_of_the_connection() {
    let mut talk = webtransport().joined();
    let lost = Lost::SessionClosed { code: 7, reason: "bye".into() };
    assert_eq!(
        talk.loses(Channel::WebTransport, lost),
        "closed: the server closed the WebTransport session with code 7 (bye)"
    );
    assert!(talk.session.is_closed());
}

#[test]
fn who_leaves_closes_the_session_and_waits_for_its_end() {
    let mut talk = webtransport().joined();
    talk.session.close(&mut talk.wire);
    assert_eq!(talk.said(), ["send 41", "close webtransport"]);
    let lost = Lost::SessionClosed { code: 0, reason: String::new() };
    assert_eq!(talk.loses(Channel::WebTransport, lost), "closed: closed as asked");
    let mut talk = webtransport();
    talk.session.cut(&mut talk.wire);
    assert_eq!(talk.said(), ["cut webtransport", "cut poll", "cut post"]);
}

#[test]
fn an_upgrade_names_its_session_before_it_probes() {
    let mut talk = Talk::opening(Transport::UpgradeToWebtransport);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert!(talk.said().contains(&DIAL.to_owned()));
    talk.dialed();
    assert_eq!(talk.said(), [r#"send 0{"sid":"s\"1"}"#, "send 2probe"]);
    assert_eq!(talk.hears("3probe"), "nothing");
    assert_eq!(talk.polled("6"), ["upgraded"]);
    assert_eq!(talk.said(), ["send 5", "close poll", "close post"]);
    talk = talk.joined();
    talk.emit("/", r#"["after"]"#);
    assert_eq!(talk.said(), [r#"send 42["after"]"#]);
}

#[test]
fn a_server_that_offers_no_webtransport_is_not_upgraded_to_it() {
    let mut talk = Talk::opening(Transport::UpgradeToWebtransport);
    let open = OPEN.replace(r#","webtransport""#, "");
    assert_eq!(talk.polled(&open), ["opened"]);
    assert!(!talk.session.is_upgrading());
    assert!(talk.said().iter().all(|line| !line.starts_with("dial")));
}

#[test]
fn after_a_failed_upgrade_polling_goes_on_and_a_websocket_may_follow() {
    let mut talk = Talk::opening(Transport::Polling);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebTransport));
    assert_eq!(
        talk.loses(Channel::WebTransport, Lost::NotAccepted(404)),
        "upgrade failed: the WebTransport session was answered with HTTP status 404"
    );
    assert!(talk.session.is_polling());
    talk.said();
    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    assert_eq!(talk.said(), [DIAL.replace("webtransport", "websocket")]);
}
