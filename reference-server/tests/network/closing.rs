//! The end of sessions, from either side.

use serde_json::json;

use crate::support::{Frame, Server};

#[test]
fn a_polling_client_that_closes_is_let_go() {
    let server = Server::start();
    let polling = server.polling();
    let pending = polling.begin_get();
    assert_eq!(polling.post("1").text(), "ok");
    let reply = pending.finish();
    // The poll may have been a moment late.
    assert!(reply.status == 400 || reply.text() == "6", "{reply:?}");
    polling.assert_dead();
}

#[test]
fn a_websocket_client_that_closes_is_let_go() {
    let server = Server::start();
    let mut client = server.client();
    client.websocket.assert_alive();
    client.send("1");
    assert_eq!(client.websocket.closed(), None);
    assert_eq!(client.websocket.frame(), Frame::End);
}

#[test]
fn a_close_frame_is_answered_and_the_session_is_gone() {
    let server = Server::start();
    let mut websocket = server.websocket("EIO=4&transport=websocket");
    let open: serde_json::Value = serde_json::from_str(&websocket.text()[1..]).unwrap();
    websocket.send_raw(&crate::support::frame(0x88, &1000u16.to_be_bytes()));
    assert_eq!(websocket.closed(), Some(1000));
    let reply =
        server.engine("GET", &format!("EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap()));
    assert_eq!((reply.status, reply.code()), (400, 1));
}

#[test]
fn the_application_can_close_and_what_was_queued_arrives_first() {
    let server = Server::start();
    let mut client = server.client();
    client.join_namespace("/custom", "");
    client.send("42[\"message\",1]");
    client.emit(&json!(["t:bye", true]));
    assert_eq!(client.next(), "42[\"message-back\",1]");
    assert_eq!(client.next(), "41");
    assert_eq!(client.next(), "41/custom,");
    assert_eq!(client.websocket.frame(), Frame::Close(None));
}

#[test]
fn the_application_can_close_a_polling_client_that_is_not_polling() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post("42[\"message\",1]\u{1e}42[\"t:bye\",true]");
    assert_eq!(polling.packets(), ["42[\"message-back\",1]", "41"]);
    assert_eq!(polling.packets(), ["1"]);
    polling.assert_dead();
}

#[test]
fn a_breach_over_polling_ends_the_pending_poll() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    polling.post("42{}");
    assert_eq!(polling.packets(), ["1"]);
    polling.assert_dead();
}

#[test]
fn reasons_are_those_of_the_official_server() {
    let server = Server::start();
    let mut watcher = server.client();
    watcher.join("watch");
    let mut reason_after = |text: &str| {
        let mut client = server.client();
        client.join("r");
        client.send(text);
        let gone: serde_json::Value = serde_json::from_str(&watcher.next()[2..]).unwrap();
        assert_eq!(gone[1], client.sid, "{text}");
        assert_eq!(gone[2], "/");
        assert_eq!(gone[4], json!([client.sid, "r"]));
        gone[3].as_str().unwrap().to_owned()
    };
    assert_eq!(reason_after("41"), "client namespace disconnect");
    assert_eq!(reason_after("42[\"t:bye\",false]"), "server namespace disconnect");
    assert_eq!(reason_after("42[\"t:bye\",true]"), "server namespace disconnect");
    assert_eq!(reason_after("1"), "transport close");
    assert_eq!(reason_after("2"), "transport error");
    assert_eq!(reason_after("zzz"), "parse error");
    assert_eq!(reason_after("42{}"), "forced close");
    assert_eq!(reason_after("40"), "forced close");
}

#[test]
fn every_namespace_of_a_cut_connection_is_told_once() {
    let server = Server::start();
    let mut watcher = server.client();
    watcher.join("watch");
    let mut client = server.client();
    client.join_namespace("/custom", "");
    client.websocket.cut();
    let mut ended: Vec<serde_json::Value> = (0..2)
        .map(|_| serde_json::from_str::<serde_json::Value>(&watcher.next()[2..]).unwrap()[2].clone())
        .collect();
    ended.sort_by_key(ToString::to_string);
    assert_eq!(ended, ["/", "/custom"]);
    assert!(watcher.heard().is_empty());
}

#[test]
fn a_server_that_stops_says_goodbye_to_everybody() {
    let server = Server::start();
    let mut client = server.client();
    let polling = server.polling();
    polling.join();
    let pending = polling.begin_get();
    let mut stranger = server.open_websocket();
    polling.post("420[\"message-with-ack\"]");
    assert_eq!(pending.finish().text(), "430[]");
    let pending = polling.begin_get();
    server.stop();
    assert_eq!(client.next(), "41");
    assert_eq!(client.websocket.frame(), Frame::Close(None));
    assert_eq!(stranger.closed(), None);
    let reply = pending.finish();
    assert!(reply.text() == "41" || reply.text() == "1" || reply.status == 400, "{reply:?}");
    server.wait();
}
