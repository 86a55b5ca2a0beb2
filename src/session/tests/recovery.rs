//! Connection state recovery: what the client keeps, and what it shows when it comes back.

use proptest::prelude::*;

use super::talk::{OPEN_WEBSOCKET, Talk};
use crate::session::Transport;

/// A joined session of a server that offers recovery.
fn recoverable() -> Talk {
    let mut talk = Talk::websocket();
    talk.connect("/", None);
    assert_eq!(talk.hears(r#"40{"sid":"a1","pid":"p1"}"#), "connected /");
    talk.said();
    talk
}

/// Cuts the connection, opens another, and gives the `CONNECT` that asks for recovery.
fn returns(talk: &mut Talk, auth: Option<&str>) -> String {
    talk.session.cut(&mut talk.wire);
    talk.session.open(&mut talk.wire, Transport::Websocket);
    talk.dialed();
    assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
    talk.said();
    talk.session.connect(&mut talk.wire, "/", auth, true);
    talk.said().remove(0)
}

#[test]
fn the_recovery_id_and_the_last_offset_are_shown_when_the_client_returns() {
    let mut talk = recoverable();
    assert_eq!(returns(&mut talk, None), r#"send 40{"pid":"p1"}"#);
    talk.hears(r#"40{"sid":"a1","pid":"p1"}"#);
    talk.hears(r#"42["news","hello","o1"]"#);
    talk.hears(r#"42["news","o2"]"#);
    assert_eq!(
        returns(&mut talk, Some(r#"{"token":"t"}"#)),
        r#"send 40{"token":"t","pid":"p1","offset":"o2"}"#
    );
}

#[test]
fn the_same_recovery_id_means_recovered_and_another_means_afresh() {
    let mut talk = recoverable();
    talk.hears(r#"42["news","o1"]"#);
    returns(&mut talk, None);
    assert_eq!(talk.hears(r#"40{"sid":"a1","pid":"p1"}"#), "recovered /");
    assert_eq!(returns(&mut talk, None), r#"send 40{"pid":"p1","offset":"o1"}"#);

    assert_eq!(talk.hears(r#"40{"sid":"a2","pid":"p2"}"#), "connected /");
    assert_eq!(&*talk.session.namespace("/").unwrap().sid, "a2");
    assert_eq!(
        returns(&mut talk, None),
        r#"send 40{"pid":"p2"}"#,
        "the offset belonged to the earlier session"
    );

    assert_eq!(talk.hears(r#"40{"sid":"a3"}"#), "connected /");
    assert_eq!(returns(&mut talk, None), "send 40", "the server offers recovery no more");
}

#[test]
fn what_is_replayed_before_the_acceptance_is_heard_and_moves_the_offset() {
    let mut talk = recoverable();
    talk.hears(r#"42["news","o1"]"#);
    returns(&mut talk, None);
    assert_eq!(talk.hears(r#"42["news","missed","o2"]"#), r#"event / ["news","missed","o2"]"#);
    assert_eq!(talk.hears(r#"40{"sid":"a1","pid":"p1"}"#), "recovered /");
    assert_eq!(returns(&mut talk, None), r#"send 40{"pid":"p1","offset":"o2"}"#);
}

#[test]
fn a_client_that_does_not_ask_for_recovery_shows_nothing() {
    let mut talk = recoverable();
    talk.hears(r#"42["news","o1"]"#);
    talk.session.cut(&mut talk.wire);
    talk.session.open(&mut talk.wire, Transport::Websocket);
    talk.hears(OPEN_WEBSOCKET);
    talk.said();
    talk.connect("/", None);
    assert_eq!(talk.said(), ["send 40"]);
    // Even a server that gives the same id again has not been asked to recover anything.
    assert_eq!(talk.hears(r#"40{"sid":"a1","pid":"p1"}"#), "connected /");
}

#[test]
fn a_polite_farewell_from_either_side_is_not_recovered_from() {
    let mut talk = recoverable();
    talk.close();
    assert_eq!(returns(&mut talk, None), "send 40");

    let mut talk = recoverable();
    talk.session.disconnect(&mut talk.wire, "/");
    assert_eq!(returns(&mut talk, None), "send 40");

    let mut talk = recoverable();
    talk.hears("41");
    assert_eq!(returns(&mut talk, None), "send 40");
}

#[test]
fn only_what_carries_an_offset_moves_it() {
    let offset = |events: &[&str]| {
        let mut talk = recoverable();
        for event in events {
            talk.hears(event);
        }
        talk.session.namespace("/").unwrap().offset.as_deref().map(str::to_owned)
    };
    // A trailing text of the application's own stands before the offset.
    assert_eq!(offset(&[r#"42["news","hello","o1"]"#]).as_deref(), Some("o1"));
    // Volatile events carry none. One that ends in something else than text is known by that ...
    assert_eq!(offset(&[r#"42["news","o1"]"#, r#"42["at",[1,2]]"#]).as_deref(), Some("o1"));
    assert_eq!(offset(&[r#"42["news","o1"]"#, r#"42["tick"]"#]).as_deref(), Some("o1"));
    // ... and one that ends in text is not: nothing on the wire tells them apart, and the official client
    // takes the text for an offset too.
    assert_eq!(offset(&[r#"42["news","o1"]"#, r#"42["at","noon"]"#]).as_deref(), Some("noon"));
    // Events that want an acknowledgement are not recovered and carry none.
    assert_eq!(offset(&[r#"42["news","o1"]"#, r#"427["ask","me"]"#]).as_deref(), Some("o1"));
    // Nor is there an offset without recovery.
    let mut talk = Talk::websocket().joined();
    talk.hears(r#"42["news","o1"]"#);
    assert_eq!(talk.session.namespace("/").unwrap().offset, None);
}

#[test]
fn a_binary_event_carries_an_offset_too() {
    let mut talk = recoverable();
    talk.hears(r#"451-["pic",{"_placeholder":true,"num":0},"o7"]"#);
    talk.hears_bytes(b"\x01");
    assert_eq!(talk.session.namespace("/").unwrap().offset.as_deref(), Some("o7"));
}

#[test]
fn each_namespace_has_its_own_recovery() {
    let mut talk = recoverable();
    talk.connect("/chat", None);
    talk.hears(r#"40/chat,{"sid":"b1","pid":"q1"}"#);
    talk.hears(r#"42/chat,["news","c9"]"#);
    talk.hears(r#"42["news","o1"]"#);
    assert_eq!(returns(&mut talk, None), r#"send 40{"pid":"p1","offset":"o1"}"#);
    talk.session.connect(&mut talk.wire, "/chat", None, true);
    assert_eq!(talk.said(), [r#"send 40/chat,{"pid":"q1","offset":"c9"}"#]);
}

proptest! {
    /// The short cut that spares a JSON parse finds what the parse would find.
    #[test]
    fn the_offset_is_what_a_json_parse_finds(
        texts in proptest::collection::vec("[\\[\\]\",{}\\\\ a-cé]{0,6}", 0..4),
        offset in proptest::option::of("[A-Za-z0-9_-]{1,8}"),
        nested in any::<bool>(),
    ) {
        let mut array = vec![serde_json::json!("news")];
        array.extend(texts.iter().map(|text| match nested {
            true => serde_json::json!({ "k": [text] }),
            false => serde_json::json!(text),
        }));
        array.extend(offset.iter().map(|offset| serde_json::json!(offset)));
        let data = serde_json::Value::Array(array.clone()).to_string();
        let mut talk = recoverable();
        talk.hears(&format!("42{data}"));
        let found = talk.session.namespace("/").unwrap().offset.as_deref().map(str::to_owned);
        let last = array[1..].last().and_then(|last| last.as_str());
        match last {
            // Offsets of servers have no characters that JSON escapes; such a text is no offset.
            Some(text) if text.contains(['"', '\\']) => prop_assert_eq!(found, None),
            last => prop_assert_eq!(found.as_deref(), last),
        }
    }
}
