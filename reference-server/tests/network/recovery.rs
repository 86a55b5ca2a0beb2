//! Connection state recovery.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Server, WebSocket};

fn recovering() -> Server {
    Server::configured(|config| config.recovery = Some(Duration::from_secs(60)))
}

struct Lost {
    sid: String,
    pid: String,
    offset: String,
}

/// A client that was in room `r`, heard one event, and lost its connection.
fn lose(server: &Server, watcher: &mut Client) -> Lost {
    let mut websocket = server.open_websocket();
    let (connect, auth) = join(&mut websocket, "");
    websocket.send("421[\"t:join\",\"r\"]");
    websocket.text();
    websocket.cut();
    assert!(watcher.next().contains("transport close"));
    Lost {
        sid: connect["sid"].as_str().unwrap().to_owned(),
        pid: connect["pid"].as_str().unwrap().to_owned(),
        offset: auth[2].as_str().unwrap().to_owned(),
    }
}

/// The CONNECT payload and the `auth` event.
fn join(websocket: &mut WebSocket, payload: &str) -> (Value, Value) {
    websocket.send(&format!("40{payload}"));
    let connect = serde_json::from_str(websocket.text().strip_prefix("40").unwrap()).unwrap();
    let auth = serde_json::from_str(websocket.text().strip_prefix("42").unwrap()).unwrap();
    (connect, auth)
}

fn watcher(server: &Server) -> Client {
    let mut watcher = server.client();
    watcher.join("watch");
    watcher
}

#[test]
fn a_lost_client_gets_its_id_its_rooms_and_what_it_missed() {
    let server = recovering();
    let mut watcher = watcher(&server);
    let lost = lose(&server, &mut watcher);
    for (target, text) in [
        (json!({"from": "io"}), "b"),
        (json!({"from": "io", "to": ["r"]}), "c"),
        (json!({"from": "io", "to": ["other"]}), "d"),
        (json!({"from": "io", "to": [lost.sid]}), "e"),
        (json!({"from": "io", "flags": ["volatile"]}), "f"),
    ] {
        watcher.cast(&target, text);
    }
    let mut websocket = server.open_websocket();
    websocket.send(&format!("40{}", json!({"pid": lost.pid, "offset": lost.offset})));
    for text in ["b", "c", "e"] {
        let said = websocket.text();
        assert!(said.starts_with(&format!("42[\"said\",\"{text}\",")), "{said}");
    }
    let connect: Value = serde_json::from_str(websocket.text().strip_prefix("40").unwrap()).unwrap();
    assert_eq!((connect["sid"].as_str(), connect["pid"].as_str()), (Some(&*lost.sid), Some(&*lost.pid)));
    websocket.text();
    websocket.send("421[\"t:who\"]");
    assert!(websocket.text().contains("\"recovered\":true"));
    websocket.send("422[\"t:join\",[]]");
    assert_eq!(websocket.text(), format!("432{}", json!([[lost.sid, "r"]])));
}

#[test]
fn a_wrong_id_or_offset_is_a_fresh_start() {
    let server = recovering();
    let mut watcher = watcher(&server);
    let lost = lose(&server, &mut watcher);
    for auth in [
        json!({"pid": "nobody", "offset": lost.offset}),
        json!({"pid": lost.pid}),
        json!({"pid": lost.pid, "offset": 5}),
        json!({"pid": lost.pid, "offset": "nonsense"}),
    ] {
        let mut websocket = server.open_websocket();
        let (connect, _) = join(&mut websocket, &auth.to_string());
        assert_ne!(connect["sid"], *lost.sid);
        assert_ne!(connect["pid"], *lost.pid);
    }
}

#[test]
fn who_says_goodbye_does_not_come_back() {
    let server = recovering();
    let mut websocket = server.open_websocket();
    let (connect, auth) = join(&mut websocket, "");
    websocket.send("41");
    let payload = json!({"pid": connect["pid"], "offset": auth[2]}).to_string();
    let (again, _) = join(&mut websocket, &payload);
    assert_ne!(again["sid"], connect["sid"]);
}

#[test]
fn without_recovery_there_is_no_private_id_and_no_offset() {
    let server = Server::start();
    let mut websocket = server.open_websocket();
    let (connect, auth) = join(&mut websocket, r#"{"pid":"x","offset":"y"}"#);
    assert_eq!(connect.as_object().unwrap().len(), 1);
    assert_eq!(auth.as_array().unwrap().len(), 2);
}
