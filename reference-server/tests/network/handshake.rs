//! Opening a session.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use crate::support::Server;

fn open(text: &str) -> Value {
    serde_json::from_str(text.strip_prefix('0').expect("an open packet")).unwrap()
}

#[test]
fn polling_opens_with_the_configured_values() {
    let server = Server::configured(|config| config.ping_interval = Duration::from_millis(1234));
    let reply = server.engine("GET", "EIO=4&transport=polling");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let open = open(&reply.text());
    assert_eq!(open["upgrades"], serde_json::json!(["websocket"]));
    assert_eq!(open["pingInterval"], 1234);
    assert_eq!(open["pingTimeout"], 20_000);
    assert_eq!(open["maxPayload"], 1_000_000);
}

#[test]
fn websocket_opens_with_the_same_and_offers_no_upgrade() {
    let server = Server::start();
    let mut websocket = server.websocket("EIO=4&transport=websocket");
    let open = open(&websocket.text());
    assert_eq!(open["upgrades"], serde_json::json!([]));
    assert_eq!(open["pingInterval"], 25_000);
}

#[test]
fn session_ids_are_long_and_never_repeat() {
    let server = Server::start();
    let ids: HashSet<String> = (0..100).map(|_| server.polling().sid).collect();
    assert_eq!(ids.len(), 100);
    for id in ids {
        assert_eq!(id.len(), 20);
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{id}");
    }
}

#[test]
fn refusals_have_the_official_codes_and_order() {
    let server = Server::start();
    let table = [
        ("GET", "EIO=4", 0),
        ("GET", "EIO=4&transport=abc", 0),
        ("GET", "EIO=3&transport=abc", 0),
        ("GET", "EIO=4&transport=__proto__", 0),
        ("GET", "EIO=4&transport=polling&sid=nope", 1),
        ("POST", "EIO=4&transport=polling&sid=__proto__", 1),
        ("POST", "EIO=4&transport=polling", 2),
        ("PUT", "EIO=4&transport=polling", 2),
        ("DELETE", "EIO=4&transport=polling", 2),
        ("GET", "EIO=4&transport=websocket", 3),
        ("GET", "transport=polling", 5),
        ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=5&transport=polling", 5),
    ];
    for (method, query, code) in table {
        let reply = server.engine(method, query);
        assert_eq!((reply.status, reply.code()), (400, code), "{method} {query}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
}

#[test]
fn a_websocket_with_wrong_parameters_is_refused_before_it_opens() {
    let server = Server::start();
    let table = [
        ("transport=websocket", 5),
        ("EIO=abc&transport=websocket", 5),
        ("EIO=4", 0),
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport=polling", 3),
        ("EIO=4&transport=websocket&sid=nope", 1),
    ];
    for (query, code) in table {
        let reply = server.try_websocket(query).err().unwrap_or_else(|| panic!("{query} opened a WebSocket"));
        assert_eq!((reply.status, reply.code()), (400, code), "{query}");
    }
}

#[test]
fn unknown_parameters_their_order_and_an_empty_sid_do_not_matter() {
    let server = Server::start();
    for query in [
        "transport=polling&EIO=4",
        "EIO=4&transport=polling&t=x&foo=a%20b&bad=%zz",
        "EIO=4&transport=polling&sid=",
    ] {
        assert_eq!(server.engine("GET", query).status, 200, "{query}");
    }
}

#[test]
fn there_is_room_for_so_many_clients_and_no_more() {
    let server = Server::configured(|config| config.max_clients = 2);
    let first = server.polling();
    server.polling();
    assert_eq!(server.engine("GET", "EIO=4&transport=polling").status, 503);
    first.post("1");
    assert_eq!(server.engine("GET", "EIO=4&transport=polling").status, 200);
}
