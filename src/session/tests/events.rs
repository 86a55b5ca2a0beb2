//! SIO "Sending and receiving data" and "Acknowledgement", with and without attachments, over both transports.

use bytes::Bytes;

use super::talk::Talk;

const NESTED: &str = r#"["b",{"a":[{"_placeholder":true,"num":1}]},{"_placeholder":true,"num":0}]"#;

#[test]
fn events_go_both_ways() {
    let mut talk = Talk::websocket().joined();
    talk.emit("/", r#"["said","hé",1]"#);
    assert_eq!(talk.said(), [r#"send 42["said","hé",1]"#]);
    assert_eq!(talk.hears(r#"42["news"]"#), r#"event / ["news"]"#);
    assert_eq!(talk.said(), [""; 0]);

    let mut talk = Talk::polling().joined();
    talk.emit("/", r#"["said"]"#);
    assert_eq!(talk.said(), [r#"post 42["said"]"#]);
    assert_eq!(talk.polled(r#"42["one"] | 42["two"]"#), [r#"event / ["one"]"#, r#"event / ["two"]"#]);
}

#[test]
fn an_acknowledgement_comes_home_to_the_event_that_asked_for_it() {
    let mut talk = Talk::websocket().joined();
    let (first, second) = (talk.ask("/", r#"["a"]"#), talk.ask("/", r#"["b"]"#));
    assert_eq!(talk.said(), [format!(r#"send 42{first}["a"]"#), format!(r#"send 42{second}["b"]"#)]);
    assert_eq!(talk.hears(&format!(r#"43{second}["two"]"#)), format!(r#"answer / {second} ["two"]"#));
    assert_eq!(talk.hears(&format!("43{first}[]")), format!("answer / {first} []"));
}

#[test]
fn an_acknowledgement_is_given_under_the_servers_id() {
    let mut talk = Talk::websocket().joined();
    assert_eq!(talk.hears(r#"420["ask"]"#), r#"event / ["ask"] wants 0"#);
    talk.session.answer(&mut talk.wire, "/", 0, r#"["yes"]"#, &[]);
    assert_eq!(talk.said(), [r#"send 430["yes"]"#]);

    talk.connect("/chat", None);
    talk.hears(r#"40/chat,{"sid":"b1"}"#);
    talk.said();
    assert_eq!(
        talk.hears(r#"42/chat,9007199254740991["ask"]"#),
        r#"event /chat ["ask"] wants 9007199254740991"#
    );
    talk.session.answer(&mut talk.wire, "/chat", 9_007_199_254_740_991, "[]", &[]);
    assert_eq!(talk.said(), ["send 43/chat,9007199254740991[]"]);
}

#[test]
fn a_namespace_that_was_left_is_not_answered() {
    let mut talk = Talk::websocket().joined();
    talk.hears(r#"420["ask"]"#);
    assert_eq!(talk.hears("41"), "disconnected /");
    talk.session.answer(&mut talk.wire, "/", 0, "[]", &[]);
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn binary_events_and_acknowledgements_over_a_websocket() {
    let mut talk = Talk::websocket().joined();
    talk.emit_binary("/", NESTED, &[b"\x01\x02", b""]);
    assert_eq!(talk.said(), [&format!("send 452-{NESTED}"), "send [01, 02]", "send []"]);

    assert_eq!(talk.hears(&format!("452-7{NESTED}")), "nothing");
    assert_eq!(talk.hears_bytes(b"\x04"), "nothing");
    assert_eq!(talk.hears_bytes(b""), format!("event / {NESTED} with [[04], []] wants 7"));
    talk.session.answer(&mut talk.wire, "/", 7, NESTED, &[Bytes::from_static(b"\x09"), Bytes::new()]);
    assert_eq!(talk.said(), [&format!("send 462-7{NESTED}"), "send [09]", "send []"]);

    let id = talk.ask("/", r#"["a"]"#);
    assert_eq!(talk.hears(&format!(r#"461-{id}[{{"_placeholder":true,"num":0}}]"#)), "nothing");
    assert_eq!(
        talk.hears_bytes(b"\xff"),
        format!(r#"answer / {id} [{{"_placeholder":true,"num":0}}] with [[ff]]"#)
    );
}

#[test]
fn binary_events_and_acknowledgements_over_polling() {
    let mut talk = Talk::polling().joined();
    talk.emit_binary("/", NESTED, &[b"\x01\x02", b""]);
    // The header alone is above maxPayload here, so it travels alone, and what follows fits together.
    assert_eq!(talk.said(), [format!("post 452-{NESTED}")]);
    talk.posted();
    assert_eq!(talk.said(), ["post bAQI= | b"]);
    talk.posted();

    // Attachments may come with a later poll than their header, and a ping may stand between them.
    assert_eq!(talk.polled(&format!("452-{NESTED} | bBA==")), [""; 0]);
    assert_eq!(talk.polled("2 | b"), ["heartbeat", &format!("event / {NESTED} with [[04], []]")]);

    let id = talk.ask("/", r#"["a"]"#);
    let ack = r#"[{"_placeholder":true,"num":0}]"#;
    assert_eq!(talk.polled(&format!("461-{id}{ack} | b/w==")), [format!("answer / {id} {ack} with [[ff]]")]);
}

#[test]
fn a_connection_that_ends_amid_attachments_delivers_no_half_event() {
    let mut talk = Talk::websocket().joined();
    talk.hears(&format!("452-{NESTED}"));
    talk.session.cut(&mut talk.wire);
    talk.session.open(&mut talk.wire, crate::session::Transport::Websocket);
    assert_eq!(talk.hears(super::talk::OPEN_WEBSOCKET), "opened");
    assert_eq!(talk.hears_bytes(b"\x04"), "violated socket.attachment-stray");
}

#[test]
fn what_the_client_has_long_given_up_is_not_held_against_the_server() {
    let mut talk = Talk::websocket().joined();
    let ids: Vec<u64> = (0..4096).map(|_| talk.ask("/", r#"["a"]"#)).collect();
    assert_eq!(talk.hears(&format!("43{}[]", ids[0])), format!("answer / {} []", ids[0]));
    // One takes the free place; from the next on the oldest are forgotten, and only they.
    let more: Vec<u64> = (0..3).map(|_| talk.ask("/", r#"["a"]"#)).collect();
    for id in ids[1..].iter().chain(&more).rev() {
        assert_eq!(talk.hears(&format!("43{id}[]")), format!("answer / {id} []"));
    }
    for id in &ids[3..] {
        let heard = talk.hears(&format!("43{id}[]"));
        assert!(heard.starts_with("violated socket.ack-"), "{id} came twice: {heard}");
    }
}
