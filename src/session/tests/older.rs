//! The dialect of Engine.IO 3: who pings, who is in the main namespace unasked, and where bytes, ids and credentials go.

use super::talk::{OPEN, OPEN_WEBSOCKET, Talk};
use crate::protocol::dialect::Version;
use crate::session::*;

fn opening(transport: Transport) -> Talk {
    let mut talk = Talk::in_version(Version::V3);
    talk.session.open(&mut talk.wire, transport);
    talk
}

fn websocket() -> Talk {
    let mut talk = opening(Transport::Websocket);
    talk.dialed();
    assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
    talk.said();
    talk
}

/// Over long-polling, with this in the query.
fn polling() -> Talk {
    let mut talk = opening(Transport::Polling);
    talk.said();
    let open = OPEN.replace(r#","maxPayload":40"#, "");
    assert_eq!(talk.polled(&format!("{}:{open}2:40", open.len())), ["opened", "connected /"]);
    talk.said();
    talk
}

fn sid(talk: &Talk, namespace: &str) -> String {
    talk.session.namespace(namespace).unwrap().sid.to_string()
}

#[test]
fn the_handshake_names_its_version() {
    assert_eq!(opening(Transport::Websocket).said(), ["dial /socket.io/?EIO=3&transport=websocket"]);
    assert_eq!(opening(Transport::Polling).said(), ["get /socket.io/?EIO=3&transport=polling"]);
}

#[test]
fn the_server_puts_the_client_into_the_main_namespace_unasked() {
    let mut talk = websocket();
    assert_eq!(talk.connect("/", None), Connecting::Asked);
    assert_eq!(talk.said(), [""; 0], "it is not asked for");
    assert_eq!(talk.hears("40"), "connected /");
    assert_eq!(sid(&talk, "/"), "s1");
    assert_eq!(talk.connect("/", None), Connecting::Standing);
    assert_eq!(talk.said(), [""; 0]);
    talk.session.disconnect(&mut talk.wire, "/");
    assert_eq!(talk.connect("/", None), Connecting::Asked);
    assert_eq!(talk.said(), ["send 41", "send 40"], "who left it has to ask");
}

#[test]
fn other_namespaces_are_asked_for_with_the_credentials_in_a_query() {
    let mut talk = websocket();
    talk.connect("/chat", Some(r#"{"token":"a,b c","n":[1]}"#));
    talk.connect("/news", None);
    assert_eq!(talk.said(), ["send 40/chat?token=a%2Cb+c&n=%5B1%5D,", "send 40/news,"]);
    assert_eq!(talk.hears("40/chat,"), "connected /chat");
    assert_eq!(sid(&talk, "/chat"), "/chat#s1");
    assert_eq!(talk.hears("40/news?x=y,"), "connected /news", "as servers of Socket.IO 1 answer");
}

#[test]
fn an_error_refuses_who_asks_and_is_an_event_to_who_is_in() {
    let mut talk = websocket();
    talk.connect("/chat", None);
    assert_eq!(talk.hears(r#"44/chat,"nope""#), r#"refused /chat "nope""#);
    talk.connect("/chat", None);
    assert_eq!(talk.hears("44/chat,[1]"), "refused /chat [1]");
    assert_eq!(talk.hears("40"), "connected /");
    assert_eq!(talk.hears(r#"44{"code":7}"#), r#"event / ["error",{"code":7}]"#);
    assert_eq!(talk.hears("44"), r#"event / ["error",null]"#);
    talk.emit("/", r#"["still here"]"#);
}

#[test]
fn a_main_namespace_may_refuse() {
    let mut talk = websocket();
    assert_eq!(talk.hears(r#"44"not you""#), r#"refused / "not you""#);
    assert!(!talk.session.is_connected("/"));
}

#[test]
fn the_client_pings_and_any_packet_is_a_sign_of_life() {
    let mut talk = websocket();
    talk.hears("40");
    assert_eq!(talk.wait(299), "nothing");
    assert_eq!(talk.said(), [""; 0]);
    assert_eq!(talk.wait(1), "nothing");
    assert_eq!(talk.said(), ["send 2"]);
    assert_eq!(talk.hears("3"), "heartbeat");
    assert_eq!(talk.wait(300), "nothing");
    assert_eq!(talk.said(), ["send 2"]);
    assert_eq!(talk.wait(199), "nothing");
    assert_eq!(talk.hears(r#"42["a"]"#), r#"event / ["a"]"#);
    assert_eq!(talk.wait(499), "nothing");
    assert_eq!(talk.wait(1), "closed: no pong came within pingTimeout");
}

#[test]
fn a_client_that_is_not_told_how_often_to_ping_does_so_before_any_server_gives_up() {
    let mut talk = opening(Transport::Websocket);
    talk.dialed();
    let open = OPEN_WEBSOCKET.replace(r#""pingInterval":300,"#, "");
    assert_eq!(talk.hears(&open), "opened, violated engine.handshake-field");
    talk.said();
    assert_eq!(talk.wait(199), "nothing");
    assert_eq!(talk.said(), [""; 0]);
    assert_eq!(talk.wait(1), "nothing");
    assert_eq!(talk.said(), ["send 2"]);
}

#[test]
fn a_muted_client_does_not_ping() {
    let mut talk = websocket();
    talk.session.set_heartbeats(Heartbeats::Muted);
    assert_eq!(talk.wait(300), "nothing");
    assert_eq!(talk.wait(300), "nothing");
    assert_eq!(talk.said(), [""; 0]);
    talk.session.set_heartbeats(Heartbeats::Answered);
    assert_eq!(talk.wait(300), "nothing");
    assert_eq!(talk.said(), ["send 2"]);
}

#[test]
fn heartbeats_the_wrong_way_round_are_a_surprise() {
    let mut talk = websocket();
    assert_eq!(talk.hears("3"), "violated engine.unexpected");
    assert_eq!(talk.hears("2"), "violated engine.ping-unasked");
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn bytes_on_a_websocket_bear_their_type() {
    let mut talk = websocket();
    talk.hears("40");
    talk.emit_binary("/", r#"["a",{"_placeholder":true,"num":0}]"#, &[&[1, 2]]);
    assert_eq!(talk.said(), [r#"send 451-["a",{"_placeholder":true,"num":0}]"#, "send [04, 01, 02]"]);
    assert_eq!(talk.hears(r#"451-["b",{"_placeholder":true,"num":0}]"#), "nothing");
    assert_eq!(talk.hears_bytes(&[4, 7]), r#"event / ["b",{"_placeholder":true,"num":0}] with [[07]]"#);
    assert_eq!(talk.hears(r#"451-["b",{"_placeholder":true,"num":0}]"#), "nothing");
    assert_eq!(talk.hears("b4Bw=="), r#"event / ["b",{"_placeholder":true,"num":0}] with [[07]]"#);
}

#[test]
fn a_post_with_bytes_is_bytes_and_one_without_is_text() {
    let mut talk = polling();
    talk.emit("/", r#"["é😀"]"#);
    assert_eq!(talk.said(), [r#"post 9:42["é😀"]"#]);
    assert_eq!(talk.header("Content-Type"), Some("text/plain;charset=UTF-8"));
    talk.emit("/", r#"["a"]"#);
    talk.session.send_raw_binary(&mut talk.wire, &[4, 255]);
    talk.posted();
    let bytes = b"\x00\x07\xff42[\"a\"]\x01\x02\xff\x04\xff";
    assert_eq!(talk.said(), [format!("post {bytes:02x?}")]);
    assert_eq!(talk.header("Content-Type"), Some("application/octet-stream"));
}

/// Whose requests have this in their query from now on.
fn polling_with(query: &str) -> Talk {
    let mut talk = polling();
    let (path, dialect) = ("/socket.io/".into(), Version::V3.dialect());
    talk.session.set_destination(Destination { path, dialect, query: query.into(), ..Default::default() });
    talk
}

#[test]
fn who_asks_for_base64_sends_it() {
    let mut talk = polling_with("b64=1");
    talk.emit_binary("/", r#"["a",{"_placeholder":true,"num":0}]"#, &[&[1, 2]]);
    // A packet and its attachments are one post.
    let posts = talk.said();
    assert!(posts.last().unwrap().ends_with("}]6:b4AQI="), "{posts:?}");
}

#[test]
fn packets_of_a_payload_are_counted_both_ways_through_an_upgrade() {
    let mut talk = opening(Transport::Upgrade);
    let open = OPEN.replace(r#","maxPayload":40"#, "");
    assert_eq!(talk.polled(&format!("{}:{open}2:40", open.len())), ["opened", "connected /"]);
    talk.dialed();
    assert_eq!(talk.hears("3probe"), "nothing");
    talk.emit("/", r#"["a"]"#);
    talk.said();
    assert_eq!(talk.polled("1:6"), ["upgraded"]);
    assert_eq!(talk.said(), ["send 5", r#"send 42["a"]"#, "close poll", "close post"]);
}

#[test]
fn a_polite_end_says_close_in_a_payload() {
    let mut talk = polling();
    talk.close();
    assert_eq!(talk.said(), ["post 2:411:1"]);
    assert_eq!(talk.posted(), "closed: closed as asked");
}

#[test]
fn a_wrong_length_is_a_violation_and_the_poll_goes_on() {
    let mut talk = polling();
    assert_eq!(talk.polled(r#"9:42["a"]"#), ["violated engine.payload-length"]);
    assert_eq!(talk.said(), ["get /socket.io/?EIO=3&transport=polling&sid=s1"]);
}

#[test]
fn who_asks_for_jsonp_posts_forms_and_is_called() {
    let mut talk = polling_with("j=2");
    talk.emit_binary("/", r#"["a",{"_placeholder":true,"num":0}]"#, &[&[1, 2]]);
    let posts = talk.said();
    let form = "451-%5B%22a%22%2C%7B%22_placeholder%22%3Atrue%2C%22num%22%3A0%7D%5D6%3Ab4AQI%3D";
    assert!(posts.last().unwrap().ends_with(form), "{posts:?}");
    assert_eq!(talk.header("Content-Type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(talk.polled(r#"___eio[2]("9:42[\"a\"]");"#), ["violated engine.payload-length"]);
    assert_eq!(talk.polled(r#"___eio[2]("7:42[\"a\"]");"#), [r#"event / ["a"]"#]);
    assert_eq!(talk.polled(r#"___eio[0]("7:42[\"a\"]");"#), ["violated engine.jsonp"]);
    assert_eq!(talk.polled(r#"7:42["a"]"#), ["violated engine.jsonp"]);
    assert_eq!(talk.polled(""), ["violated engine.payload-length"]);
}
