//! Faults: each makes the server wrong in its way and in no other.

use std::time::Duration;

use reference_server::{Fault, Faults};
use serde_json::json;

use crate::support::Server;

#[test]
fn a_broadcast_can_include_its_sender() {
    let server = Server::broken(Fault::BroadcastIncludesSender);
    let mut a = server.client();
    a.cast(&json!({"from": "socket"}), "x");
    assert_eq!(a.heard(), ["x"]);
}

#[test]
fn leaving_can_fail_to_take_effect() {
    let server = Server::broken(Fault::LeaveIgnored);
    let mut a = server.client();
    a.join("r");
    a.ask(&json!(["t:leave", "r"]));
    a.cast(&json!({"from": "io", "to": ["r"]}), "x");
    assert_eq!(a.heard(), ["x"]);
}

#[test]
fn a_union_can_deliver_twice() {
    let server = Server::broken(Fault::UnionDeliversTwice);
    let mut a = server.client();
    a.join("r");
    a.join("s");
    a.cast(&json!({"from": "io", "to": ["r", "s"]}), "x");
    assert_eq!(a.heard(), ["x", "x"]);
}

#[test]
fn an_answer_can_come_twice() {
    let server = Server::broken(Fault::AckTwice);
    let mut a = server.client();
    a.send("425[\"t:ack-twice\"]");
    assert_eq!([a.next(), a.next()], ["435[1]", "435[2]"]);
}

#[test]
fn events_can_change_places() {
    let server = Server::broken(Fault::OrderSwapped);
    let mut a = server.client();
    a.send("42[\"message\",1]");
    a.send("42[\"message\",2]");
    let first = a.next();
    assert_eq!([first, a.next()], ["42[\"message-back\",2]", "42[\"message-back\",1]"]);
}

#[test]
fn namespaces_can_leak_into_each_other() {
    let server = Server::broken(Fault::NamespaceLeak);
    let mut a = server.client();
    let mut b = server.client_in("/custom");
    a.cast(&json!({"from": "io"}), "x");
    assert_eq!(b.next(), "42/custom,[\"said\",\"x\"]");
}

#[test]
fn ids_can_be_shared_across_namespaces() {
    let server = Server::broken(Fault::SidSharedAcrossNamespaces);
    let mut a = server.client();
    assert_eq!(a.join_namespace("/custom", ""), a.sid);
}

#[test]
fn packets_can_be_lost_in_the_upgrade() {
    let server = Server::broken(Fault::UpgradeLosesPackets);
    let polling = server.polling();
    polling.join();
    let mut websocket = polling.upgrade();
    websocket.send("2probe");
    websocket.text();
    polling.post("42[\"message\",\"lost\"]");
    websocket.send("5");
    websocket.assert_alive();
}

#[test]
fn an_event_before_connect_can_be_skipped() {
    let server = Server::broken(Fault::EventBeforeConnectIgnored);
    let mut websocket = server.open_websocket();
    websocket.send("42[\"message\"]");
    websocket.send("40");
    assert!(websocket.text().starts_with("40{"));
}

#[test]
fn a_silent_client_can_be_kept() {
    let faults = Faults::NONE.with(Fault::PingTimeoutIgnored).with(Fault::ConnectTimeoutIgnored);
    let change = |config: &mut reference_server::Config| {
        config.ping_interval = Duration::from_millis(20);
        config.ping_timeout = Duration::from_millis(20);
        config.connect_timeout = Duration::from_millis(20);
    };
    let server = Server::with(change, faults);
    let polling = server.polling();
    for _ in 0..5 {
        assert_eq!(polling.packets(), ["2"]);
    }
}

#[test]
fn a_second_websocket_can_take_over() {
    let server = Server::broken(Fault::SecondWebSocketTakesOver);
    let mut first = server.websocket("EIO=4&transport=websocket");
    let open: serde_json::Value = serde_json::from_str(&first.text()[1..]).unwrap();
    let sid = open["sid"].as_str().unwrap();
    let mut second = server.websocket(&format!("EIO=4&transport=websocket&sid={sid}"));
    second.send("2probe");
    assert_eq!(second.text(), "3probe");
}
