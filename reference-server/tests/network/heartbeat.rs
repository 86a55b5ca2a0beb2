//! Pings and pongs.

use std::time::{Duration, Instant};

use reference_server::Config;

use crate::support::{Frame, Server};

const INTERVAL: Duration = Duration::from_millis(60);
const TIMEOUT: Duration = Duration::from_millis(300);

/// For clients that are to be given up.
fn short(config: &mut Config) {
    config.ping_interval = INTERVAL;
    config.ping_timeout = TIMEOUT;
}

/// For clients that answer: a machine under load may take its time.
fn patient(config: &mut Config) {
    config.ping_interval = INTERVAL;
    config.ping_timeout = Duration::from_secs(10);
}

#[test]
fn a_websocket_that_answers_pings_stays() {
    let server = Server::configured(patient);
    let start = Instant::now();
    let mut websocket = server.open_websocket();
    for n in 1..=5 {
        assert_eq!(websocket.frame(), Frame::Text("2".to_owned()));
        assert!(start.elapsed() >= INTERVAL * n, "ping {n} came early");
        websocket.send("3");
    }
    websocket.send("40");
    assert!(websocket.text().starts_with("40"));
}

#[test]
fn a_poll_brings_the_ping_and_the_answer_keeps_the_session() {
    let server = Server::configured(patient);
    let polling = server.polling();
    for _ in 0..5 {
        assert_eq!(polling.packets(), ["2"]);
        assert_eq!(polling.post("3").text(), "ok");
    }
}

#[test]
fn a_websocket_that_does_not_answer_is_closed_in_time_whatever_else_it_says() {
    let server = Server::configured(short);
    let start = Instant::now();
    let mut websocket = server.open_websocket();
    websocket.send("40");
    while !matches!(websocket.frame(), Frame::Close(None)) {
        websocket.send("42[\"none\"]");
    }
    assert!(start.elapsed() >= INTERVAL + TIMEOUT);
}

#[test]
fn a_polling_client_that_does_not_answer_is_closed_and_its_poll_answered() {
    let server = Server::configured(short);
    let polling = server.polling();
    assert_eq!(polling.packets(), ["2"]);
    assert_eq!(polling.packets(), ["1"]);
    polling.assert_dead();
}

#[test]
fn abandoned_sessions_disappear() {
    let server = Server::configured(short);
    let mut last = None;
    for _ in 0..20 {
        last = Some(server.polling());
    }
    let last = last.unwrap();
    assert_eq!(last.packets(), ["2"]);
    assert_eq!(last.packets(), ["1"]);
    last.assert_dead();
}

#[test]
fn pongs_nobody_asked_for_are_harmless() {
    let server = Server::start();
    let mut client = server.client();
    for text in ["3", "3", "3", "3probe"] {
        client.send(text);
    }
    client.websocket.assert_alive();
}

#[test]
fn a_ping_from_a_client_closes_the_connection() {
    let server = Server::start();
    let mut client = server.client();
    client.websocket.assert_alive();
    client.send("2");
    assert_eq!(client.websocket.closed(), None);
}

#[test]
fn the_heartbeat_goes_on_after_an_upgrade() {
    let server = Server::configured(patient);
    let polling = server.polling();
    let mut websocket = polling.upgrade();
    websocket.send("2probe");
    assert_eq!(websocket.text(), "3probe");
    websocket.send("5");
    for _ in 0..5 {
        assert_eq!(websocket.frame(), Frame::Text("2".to_owned()));
        websocket.send("3");
    }
}
