//! What servers get wrong is told and survived.

use super::talk::{OPEN_WEBSOCKET, Talk};
use crate::protocol::engine_io::Packet;
use crate::session::{Channel, Event, Transport};

#[test]
fn an_acknowledgement_that_nobody_asked_for() {
    let mut talk = Talk::websocket().joined();
    assert_eq!(talk.hears("430[]"), "violated socket.ack-unknown");
    let id = talk.ask("/", r#"["a"]"#);
    assert_eq!(talk.hears(&format!("43{}[]", id + 1)), "violated socket.ack-unknown");
    assert_eq!(talk.hears(&format!("43{id}[]")), format!("answer / {id} []"));
    assert_eq!(talk.hears(&format!("43{id}[]")), "violated socket.ack-twice", "twice");
}

#[test]
fn an_acknowledgement_in_the_wrong_namespace() {
    let mut talk = Talk::websocket().joined();
    talk.connect("/chat", None);
    talk.hears(r#"40/chat,{"sid":"b1"}"#);
    let id = talk.ask("/chat", r#"["a"]"#);
    assert_eq!(talk.hears(&format!("43{id}[]")), "violated socket.ack-unknown");
    assert_eq!(talk.hears(&format!("43/other,{id}[]")), "violated socket.ack-unknown");
    assert_eq!(talk.hears(&format!("43/chat,{id}[]")), format!("answer /chat {id} []"));
}

#[test]
fn what_a_lenient_server_makes_of_illegal_packets_is_no_violation() {
    let mut talk = Talk::websocket().joined();
    for packet in
        ["40/custom,[]", "40{", r#"4299999999999999999999["message"]"#, "40/room?t=1,", r#"457["message"]"#]
    {
        talk.session.send_raw(&mut talk.wire, packet);
    }
    assert_eq!(talk.hears(r#"40/custom,{"sid":"c1"}"#), "connected /custom");
    assert_eq!(talk.hears(r#"40{"sid":"a2"}"#), "connected /");
    assert_eq!(talk.hears(r#"40/room,{"sid":"r1"}"#), "connected /room");
    assert_eq!(talk.hears("437[]"), "answer / 7 []");
    talk.session.send_raw(&mut talk.wire, r#"42abc["message"]"#);
    assert_eq!(talk.hears("431[]"), "answer / 1 []", "nobody knows what its id is");
    assert_eq!(talk.hears("432[]"), "violated socket.ack-unknown");
    assert_eq!(talk.hears("4399999999999999999999[]"), "nothing");
    assert_eq!(talk.hears("4399999999999999999999[]"), "violated socket.ack-id", "twice");
    assert_eq!(talk.hears("4399999999999999999998[]"), "violated socket.ack-id", "another");
}

#[test]
fn words_in_a_namespace_that_was_never_asked_for() {
    let mut talk = Talk::websocket().joined();
    for packet in
        [r#"42/never,["a"]"#, r#"40/never,{"sid":"x"}"#, r#"44/never,{"message":"no"}"#, "41/never,"]
    {
        let rule = if packet.starts_with("40") { "unasked" } else { "unknown" };
        assert_eq!(talk.hears(packet), format!("violated socket.namespace-{rule}"), "{packet}");
    }
    assert!(talk.session.namespace("/never").is_none());
    assert!(talk.session.is_connected("/"));
}

#[test]
fn an_acceptance_that_comes_twice_or_without_an_id() {
    let mut talk = Talk::websocket();
    assert_eq!(talk.hears(r#"40{"sid":"a0"}"#), "violated socket.namespace-unasked");
    talk.connect("/", None);
    for reply in ["40", "40{}", r#"40{"sid":7}"#] {
        assert_eq!(talk.hears(reply), "violated socket.connect-reply", "{reply}");
    }
    for reply in [r#"40{"sid":"#, "40{\"sid\":\"a1\"}\u{1e}42[\"news\"]"] {
        assert_eq!(talk.hears(reply), "violated socket.json", "{reply}");
    }
    assert_eq!(talk.hears(r#"40{"sid":"a1"}"#), "connected /");
    assert_eq!(talk.hears(r#"40{"sid":"a2"}"#), "violated socket.namespace-unasked");
    assert_eq!(&*talk.session.namespace("/").unwrap().sid, "a2", "the one that came last counts");
}

#[test]
fn text_amid_attachments_and_attachments_amid_nothing() {
    let mut talk = Talk::websocket().joined();
    let header = r#"452-["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(talk.hears(header), "nothing");
    assert_eq!(talk.hears_bytes(b"\x01"), "nothing");
    assert_eq!(talk.hears("2"), "heartbeat", "Engine.IO may come between");
    assert_eq!(talk.hears(r#"42["a"]"#), "violated socket.attachment-due");
    assert_eq!(talk.hears_bytes(b"\x02"), "violated socket.attachment-stray");
    assert_eq!(talk.hears(r#"42["a"]"#), r#"event / ["a"]"#);

    assert_eq!(talk.hears(header), "nothing");
    assert_eq!(talk.hears(header), "violated socket.attachment-due");
    assert_eq!(talk.hears(r#"4599999999-["b"]"#), "violated limit.attachments");
}

#[test]
fn packets_that_a_server_has_no_business_to_send() {
    let mut talk = Talk::websocket().joined();
    for packet in [OPEN_WEBSOCKET, "3", "3probe", "5"] {
        assert_eq!(talk.hears(packet), "violated engine.unexpected", "{packet}");
    }
    assert!(talk.session.is_open());
    assert_eq!(talk.session.handshake().unwrap().sid, "s1");
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn a_handshake_that_cannot_be_read_may_be_followed_by_one_that_can() {
    let mut talk = Talk::opening(Transport::Websocket);
    assert_eq!(talk.hears("0{"), "violated engine.handshake");
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
}

#[test]
fn garbage_of_every_layer() {
    let mut talk = Talk::websocket().joined();
    for (garbage, rule) in [
        ("4", "socket.type"),
        ("49", "socket.type"),
        ("4é", "socket.type"),
        ("42", "socket.event-payload"),
        ("42{}", "socket.event-payload"),
        ("43[]", "socket.ack-id"),
        ("45[]", "socket.attachment-count"),
        ("4299999999999999999999[]", "socket.ack-id"),
    ] {
        assert_eq!(talk.hears(garbage), format!("violated {rule}"), "{garbage}");
    }
    assert_eq!(talk.hears(r#"42["a"]"#), r#"event / ["a"]"#);

    let mut talk = Talk::polling().joined();
    assert_eq!(
        talk.polled(r#"42["a"] | zzz |  | b* | 42["b"]"#),
        [
            r#"event / ["a"]"#,
            "violated engine.type",
            "violated engine.type",
            "violated engine.base64",
            r#"event / ["b"]"#
        ]
    );
    assert_eq!(talk.poll_answered(200, &[], b"42[\"\xff\"]"), ["violated engine.payload-utf8"]);
    assert_eq!(talk.said().len(), 2, "and it polls on");
}

#[test]
fn a_server_that_invents_namespaces_is_not_remembered_for_it() {
    let mut talk = Talk::websocket().joined();
    for n in 0..10_000 {
        for packet in [
            format!(r#"40/{n},{{"sid":"x"}}"#),
            format!("41/{n},"),
            format!("44/{n},{{}}"),
            format!(r#"42/{n},["a"]"#),
        ] {
            talk.hears(&packet);
        }
    }
    assert_eq!(talk.session.namespaces.len(), 1);
}

#[test]
fn the_answer_to_what_a_rude_scenario_wrote_by_hand_is_no_violation() {
    let mut talk = Talk::websocket();
    talk.session.send_raw(&mut talk.wire, "40");
    talk.session.send_raw(&mut talk.wire, "40/guard,");
    assert_eq!(talk.hears(r#"40{"sid":"a1"}"#), "connected /");
    assert_eq!(talk.hears(r#"44/guard,{"message":"no"}"#), r#"refused /guard {"message":"no"}"#);
    talk.session.send_raw(&mut talk.wire, r#"42456["a"]"#);
    assert_eq!(talk.hears("43456[]"), "answer / 456 []");
    assert_eq!(talk.hears("43456[]"), "violated socket.ack-twice");
    for garbage in ["4", "9", "", "40/é", "429", "4", "0"] {
        talk.session.send_raw(&mut talk.wire, garbage);
    }
}

#[test]
fn what_the_server_wrote_is_told_short_and_without_control_characters() {
    let mut talk = Talk::websocket().joined();
    talk.connect("/asked", None);
    let noise = "\u{1b}[2J\u{7}".repeat(1000);
    let id = talk.ask("/", r#"["a"]"#);
    for packet in [
        format!("40/{noise},{{}}"),
        format!("41/{noise},"),
        format!("44/{noise},{{}}"),
        format!("42/{noise},[]"),
        format!("43/{noise},{id}[]"),
        format!("40/asked,{{{noise}"),
        format!("0{noise}"),
        format!("3{noise}"),
    ] {
        let packet = talk.session.dialect().packet_of_text(&packet).unwrap();
        let event = talk.session.handle_packet(&mut talk.wire, Channel::WebSocket, packet, talk.now);
        let Some(Event::Violated(violation)) = event else { panic!("{event:?}") };
        assert!(violation.detail.len() < 600, "{violation}");
        assert!(!violation.detail.contains(char::is_control), "{violation}");
    }
    assert!(
        talk.session.handle_packet(&mut talk.wire, Channel::WebSocket, Packet::Noop(""), talk.now).is_none()
    );
}

#[test]
fn a_namespace_that_was_joined_by_hand_is_joined() {
    let mut talk = Talk::websocket();
    talk.session.send_raw(&mut talk.wire, "40/chat,");
    assert_eq!(talk.hears(r#"40/chat,{"sid":"c1"}"#), "connected /chat");
    let id = talk.ask("/chat", r#"["a"]"#);
    assert_eq!(talk.hears(&format!("43/chat,{id}[]")), format!("answer /chat {id} []"));
    talk.session.send_raw(&mut talk.wire, "41/chat,");
    assert_eq!(talk.hears(r#"42/chat,["late"]"#), "nothing");
    assert!(!talk.session.is_connected("/chat"));
}

#[test]
fn each_connect_by_hand_may_be_answered_once() {
    let mut talk = Talk::websocket().joined();
    talk.session.send_raw(&mut talk.wire, "40");
    assert_eq!(talk.hears(r#"40{"sid":"a2"}"#), "connected /");
    assert_eq!(talk.hears(r#"40{"sid":"a3"}"#), "violated socket.namespace-unasked");
    talk.session.send_raw(&mut talk.wire, "2probe");
    assert_eq!(talk.hears("3probe"), "nothing");
    assert_eq!(talk.hears("3probe"), "violated engine.unexpected");
}

#[test]
fn a_guest_on_the_session_of_another_is_surprised_by_nothing_but_malformed_packets() {
    let mut talk = Talk::new();
    talk.session.join(&mut talk.wire, "of another");
    assert_eq!(talk.said(), ["dial /socket.io/?EIO=4&transport=websocket&sid=of+another"]);
    assert!(!talk.session.is_open());
    talk.dialed();
    assert!(talk.session.is_open());
    talk.session.send_raw(&mut talk.wire, "2probe");
    assert_eq!(talk.hears("3probe"), "nothing");
    talk.session.send_raw(&mut talk.wire, "5");
    assert_eq!(talk.said(), ["send 2probe", "send 5"]);
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.said(), ["send 3"]);
    assert_eq!(talk.hears(r#"42/chat,["a"]"#), r#"event /chat ["a"]"#);
    assert_eq!(talk.hears("43/chat,7[]"), "answer /chat 7 []");
    assert_eq!(talk.hears("4x"), "violated socket.type");
    for n in 0..1000 {
        talk.hears(&format!(r#"42/{n},["a"]"#));
    }
    assert!(talk.session.namespaces.len() < 100);
}
