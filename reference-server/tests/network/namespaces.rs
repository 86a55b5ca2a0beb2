//! Joining and leaving namespaces.

use std::time::Duration;

use serde_json::json;

use crate::support::{Frame, Server};

#[test]
fn ids_differ_between_namespaces_and_from_the_session() {
    let server = Server::start();
    let mut websocket = server.websocket("EIO=4&transport=websocket");
    let open: serde_json::Value = serde_json::from_str(&websocket.text()[1..]).unwrap();
    let mut ids = vec![open["sid"].as_str().unwrap().to_owned()];
    for prefix in ["", "/custom,", "/dyn-1,"] {
        websocket.send(&format!("40{prefix}"));
        let reply: serde_json::Value = serde_json::from_str(&websocket.text()[2 + prefix.len()..]).unwrap();
        assert_eq!(reply.as_object().unwrap().len(), 1, "only the sid");
        ids.push(reply["sid"].as_str().unwrap().to_owned());
        assert_eq!(websocket.text(), format!("42{prefix}[\"auth\",{{}}]"));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn the_auth_payload_comes_back() {
    let server = Server::start();
    let mut websocket = server.open_websocket();
    websocket.send(r#"40/custom,{"token":"123"}"#);
    assert!(websocket.text().starts_with("40/custom,{\"sid\":"));
    assert_eq!(websocket.text(), r#"42/custom,["auth",{"token":"123"}]"#);
}

#[test]
fn an_unknown_namespace_is_refused_and_the_rest_goes_on() {
    let server = Server::start();
    let mut client = server.client();
    for name in ["/random", "/dyn-x", "/dyn-", "/custom?t=1", "/ünï", "/a/b"] {
        client.send(&format!("40{name}"));
        assert_eq!(client.next(), format!("44{name},{{\"message\":\"Invalid namespace\"}}"));
        client.websocket.assert_alive();
    }
}

#[test]
fn a_guarded_namespace_wants_its_token_and_can_be_tried_again() {
    let server = Server::start();
    let mut client = server.client();
    for auth in ["", "{}", r#"{"token":"no"}"#] {
        client.send(&format!("40/guard,{auth}"));
        assert_eq!(client.next(), r#"44/guard,{"message":"nope","data":{"code":7}}"#);
    }
    client.join_namespace("/guard", r#"{"token":"ok"}"#);
    assert_eq!(client.ask_in("/guard", &json!(["message-with-ack", 1])), json!([1]));
}

#[test]
fn packets_before_any_connect_close_the_connection() {
    let server = Server::start();
    for text in ["42[\"message\"]", "41", "430[]", "44{}", "4abc"] {
        let mut websocket = server.open_websocket();
        websocket.send(text);
        assert_eq!(websocket.frame(), Frame::Close(None), "{text}");
    }
}

#[test]
fn a_connect_with_a_payload_that_is_no_object_closes_the_connection() {
    let server = Server::start();
    for text in ["40[]", "40\"x\"", "40null", "40{bad"] {
        let mut websocket = server.open_websocket();
        websocket.send(text);
        assert_eq!(websocket.frame(), Frame::Close(None), "{text}");
    }
}

#[test]
fn a_connection_that_joins_nothing_is_closed_even_if_it_tried() {
    let server = Server::configured(|config| config.connect_timeout = Duration::from_millis(400));
    let mut idle = server.open_websocket();
    let mut refused = server.open_websocket();
    refused.send("40/random");
    let mut joined = server.client();
    assert_eq!(idle.closed(), None);
    assert_eq!(refused.closed(), None);
    joined.websocket.assert_alive();
}

#[test]
fn leaving_one_namespace_leaves_the_others_and_the_connection() {
    let server = Server::start();
    let mut client = server.client();
    let first = client.join_namespace("/custom", "");
    client.send("41/custom");
    client.websocket.assert_alive();
    let second = client.join_namespace("/custom", "");
    assert_ne!(first, second);
    client.send("41");
    assert_eq!(client.ask_in("/custom", &json!(["message-with-ack", 1])), json!([1]));
}

#[test]
fn the_application_can_end_one_namespace() {
    let server = Server::start();
    let mut client = server.client();
    client.join_namespace("/custom", "");
    client.send("42/custom,[\"t:bye\",false]");
    assert_eq!(client.next(), "41/custom,");
    client.websocket.assert_alive();
}

#[test]
fn namespaces_of_one_connection_do_not_mix() {
    let server = Server::start();
    let mut client = server.client();
    client.join_namespace("/custom", "");
    client.join_namespace("/dyn-7", "");
    client.send("421[\"message-with-ack\",\"main\"]");
    client.send("42/custom,1[\"message-with-ack\",\"custom\"]");
    client.send("42/dyn-7,1[\"message-with-ack\",\"dynamic\"]");
    assert_eq!(client.next(), "431[\"main\"]");
    assert_eq!(client.next(), "43/custom,1[\"custom\"]");
    assert_eq!(client.next(), "43/dyn-7,1[\"dynamic\"]");
}

#[test]
fn connects_may_be_sent_together() {
    let server = Server::start();
    let polling = server.polling();
    polling.post("40\u{1e}40/custom,");
    let packets = polling.packets();
    assert_eq!(packets.len(), 4);
    assert!(packets[2].starts_with("40/custom,"));
}
