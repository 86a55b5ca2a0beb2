//! From polling to WebSocket.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Frame, Polling, Server, WebSocket};

fn probe(polling: &Polling<'_>) -> WebSocket {
    let mut websocket = polling.upgrade();
    websocket.send("2probe");
    assert_eq!(websocket.text(), "3probe");
    websocket
}

#[test]
fn after_the_upgrade_everything_goes_over_the_websocket() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut websocket = probe(&polling);
    websocket.send("5");
    websocket.assert_alive();
    for reply in [polling.get(), polling.post("42[\"message\"]")] {
        assert_eq!((reply.status, reply.code()), (400, 3));
    }
    let mut second = polling.upgrade();
    assert_eq!(second.closed(), None);
    websocket.assert_alive();
}

#[test]
fn polls_are_released_while_upgrading_every_one_of_them() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let pending = polling.begin_get();
    let mut websocket = probe(&polling);
    assert_eq!(pending.finish().text(), "6");
    for _ in 0..4 {
        let start = Instant::now();
        assert_eq!(polling.packets(), ["6"]);
        assert!(start.elapsed() < Duration::from_secs(2), "a poll was stuck");
    }
    polling.assert_alive();
    websocket.send("5");
    websocket.assert_alive();
}

#[test]
fn a_poll_that_waits_when_the_upgrade_completes_is_answered() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut websocket = polling.upgrade();
    let pending = polling.begin_get();
    websocket.send("5");
    assert_eq!(pending.finish().text(), "6");
    websocket.assert_alive();
}

#[test]
fn nothing_is_lost_doubled_or_reordered_across_the_upgrade() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post("420[\"t:burst\",300,1,false]");
    let mut numbers: Vec<u64> = Vec::new();
    // Takes a packet; whether it was the last one.
    let mut take = |text: &str| -> bool {
        if let Some(args) = text.strip_prefix("42") {
            let args: Value = serde_json::from_str(args).unwrap();
            numbers.push(args[1].as_u64().unwrap());
        }
        text == "430[]"
    };
    for _ in 0..5 {
        polling.packets().iter().for_each(|text| assert!(!take(text)));
    }
    let mut websocket = polling.upgrade();
    polling.packets().iter().for_each(|text| assert!(!take(text)));
    websocket.send("2probe");
    for _ in 0..5 {
        polling.packets().iter().for_each(|text| assert!(!take(text)));
    }
    assert_eq!(websocket.text(), "3probe");
    websocket.send("5");
    while !take(&websocket.text()) {}
    assert_eq!(numbers, (0..300).collect::<Vec<u64>>());
}

#[test]
fn a_wrong_first_packet_closes_the_candidate_and_polling_goes_on() {
    let server = Server::start();
    for text in ["2", "2probeX", "4x", "abc", "3probe"] {
        let polling = server.polling();
        polling.join();
        let mut websocket = polling.upgrade();
        websocket.send(text);
        assert_eq!(websocket.closed(), None, "{text}");
        polling.assert_alive();
        // And the next attempt succeeds.
        let mut websocket = probe(&polling);
        websocket.send("5");
        websocket.assert_alive();
    }
}

#[test]
fn a_candidate_that_leaves_does_no_harm() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let websocket = probe(&polling);
    websocket.cut();
    drop(websocket);
    polling.assert_alive();
    // The first end may take a moment to be noticed.
    let mut websocket = loop {
        let mut websocket = polling.upgrade();
        websocket.send("2probe");
        match websocket.frame() {
            Frame::Text(text) if text == "3probe" => break websocket,
            Frame::Close(_) => {}
            other => panic!("{other:?}"),
        }
    };
    websocket.send("5");
    websocket.assert_alive();
}

#[test]
fn a_second_candidate_is_refused_and_the_first_can_finish() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut first = probe(&polling);
    let mut second = polling.upgrade();
    assert_eq!(second.closed(), None);
    first.send("5");
    first.assert_alive();
}

#[test]
fn an_upgrade_that_takes_too_long_is_given_up_and_polling_goes_on() {
    let server = Server::configured(|config| config.upgrade_timeout = Duration::from_millis(400));
    let polling = server.polling();
    polling.join();
    let mut websocket = probe(&polling);
    assert_eq!(websocket.closed(), None);
    polling.assert_alive();
}

#[test]
fn a_session_that_closes_takes_its_candidate_along() {
    let server = Server::start();
    let polling = server.polling();
    let mut websocket = probe(&polling);
    assert_eq!(polling.post("1").text(), "ok");
    assert_eq!(websocket.closed(), None);
    polling.assert_dead();
}

#[test]
fn a_plain_request_for_the_websocket_transport_consumes_nothing() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post("42[\"message\",1]");
    let reply = server.engine("GET", &format!("EIO=4&transport=websocket&sid={}", polling.sid));
    assert_eq!((reply.status, reply.code()), (400, 3));
    assert_eq!(polling.packets(), ["42[\"message-back\",1]"]);
}

#[test]
fn what_the_client_sends_keeps_its_order_across_the_upgrade() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post("42[\"message\",0]\u{1e}42[\"message\",1]");
    let mut websocket = probe(&polling);
    polling.post("42[\"message\",2]");
    websocket.send("5");
    websocket.send("42[\"message\",3]");
    for n in 0..4 {
        assert_eq!(websocket.text(), format!("42[\"message-back\",{n}]"));
    }
}
