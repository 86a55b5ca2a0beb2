//! EIO "Handshake", over each transport.

use super::talk::{OPEN, OPEN_WEBSOCKET, Talk};
use crate::protocol::dialect::Parser;
use crate::protocol::http::Head;
use crate::session::{Channel, Destination, Lost, Transport};

#[test]
fn a_websocket_session_dials_and_hears_the_open_packet() {
    let mut talk = Talk::new();
    talk.session.open(&mut talk.wire, Transport::Websocket);
    assert_eq!(talk.said(), ["dial /socket.io/?EIO=4&transport=websocket"]);
    talk.dialed();
    assert_eq!(talk.said(), [""; 0]);
    assert!(!talk.session.is_open() && !talk.session.is_closed());
    assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
    assert!(talk.session.is_open() && !talk.session.is_polling());
    assert_eq!(talk.session.handshake().unwrap().sid, "s1");
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn a_polling_session_polls_and_keeps_a_poll_pending() {
    let mut talk = Talk::new();
    talk.session.open(&mut talk.wire, Transport::Polling);
    assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling"]);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling&sid=s1"]);
    assert!(talk.session.is_open() && talk.session.is_polling() && !talk.session.is_upgrading());
}

#[test]
fn an_upgrading_session_polls_first_and_dials_with_its_id_when_the_server_offers_it() {
    let mut talk = Talk::opening(Transport::Upgrade);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert_eq!(
        talk.said(),
        [
            "dial /socket.io/?EIO=4&transport=websocket&sid=s1",
            "get /socket.io/?EIO=4&transport=polling&sid=s1"
        ]
    );
    assert!(talk.session.is_upgrading());

    let mut talk = Talk::opening(Transport::Upgrade);
    assert_eq!(talk.polled(OPEN_WEBSOCKET), ["opened"]);
    assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling&sid=s1"]);
    assert!(!talk.session.is_upgrading());
}

#[test]
fn query_and_headers_of_the_scenario_go_with_every_request_and_the_id_is_escaped() {
    let mut talk = Talk::new();
    talk.session.set_destination(Destination {
        dialect: talk.session.dialect(),
        path: "/app/".into(),
        replaced: Vec::new(),
        query: "token=a%20b".into(),
        headers: vec![("X-Tenant".into(), "7".into())],
        traceparent: None,
        is_secure: false,
        parser: Parser::Default,
        compression: true,
    });
    talk.session.open(&mut talk.wire, Transport::Polling);
    assert_eq!(talk.said(), ["get /app/?EIO=4&transport=polling&token=a%20b"]);
    assert_eq!(talk.header("X-Tenant"), Some("7"));
    talk.polled(&OPEN.replace("s1", "a&b c"));
    assert_eq!(talk.said(), ["get /app/?EIO=4&transport=polling&token=a%20b&sid=a%26b+c"]);
    talk.connect("/", None);
    assert_eq!(talk.header("X-Tenant"), Some("7"));
    assert_eq!(talk.header("Content-Type"), Some("text/plain;charset=UTF-8"));
}

#[test]
fn a_handshake_and_its_upgrade_belong_to_one_trace_and_the_requests_between_to_none() {
    let mut talk = Talk::new();
    let traceparent = Some("00-1-2-01".to_owned());
    talk.session.set_destination(Destination {
        path: "/socket.io/".into(),
        traceparent,
        ..Destination::default()
    });
    talk.session.open(&mut talk.wire, Transport::Upgrade);
    assert_eq!(talk.header("traceparent"), Some("00-1-2-01"));
    talk.polled(OPEN);
    assert_eq!(
        talk.said(),
        [
            "get /socket.io/?EIO=4&transport=polling",
            "dial /socket.io/?EIO=4&transport=websocket&sid=s1",
            "get /socket.io/?EIO=4&transport=polling&sid=s1"
        ]
    );
    assert_eq!(talk.header("traceparent"), None, "it is a poll");
    talk.connect("/", None);
    assert_eq!(talk.header("traceparent"), None, "it is a post");

    let mut talk = Talk::new();
    let traceparent = Some("00-1-2-01".to_owned());
    talk.session.set_destination(Destination {
        path: "/socket.io/".into(),
        traceparent,
        ..Destination::default()
    });
    talk.session.open(&mut talk.wire, Transport::Websocket);
    assert_eq!(talk.said(), ["dial /socket.io/?EIO=4&transport=websocket"]);
    assert_eq!(talk.header("traceparent"), Some("00-1-2-01"));
}

#[test]
fn a_refused_handshake_is_told_with_the_servers_words() {
    let mut talk = Talk::opening(Transport::Polling);
    assert_eq!(
        talk.poll_answered(400, &[], br#"{"code":5}"#),
        [r#"closed: a poll was answered with HTTP status 400: {"code":5}"#]
    );
    assert!(talk.session.is_closed());

    let mut talk = Talk::opening(Transport::Websocket);
    let answer =
        Box::new((Head { status: 403, reason: String::new(), headers: Vec::new() }, b"go away".to_vec()));
    assert_eq!(
        talk.loses(Channel::WebSocket, Lost::Refused(answer)),
        "closed: the WebSocket handshake was answered with HTTP status 403: go away"
    );
    assert!(talk.session.is_closed());

    let mut talk = Talk::opening(Transport::Websocket);
    let lost = Lost::Unreachable("connection refused".into());
    assert_eq!(talk.loses(Channel::WebSocket, lost), "closed: no connection: connection refused");
}

#[test]
fn a_first_payload_without_a_handshake_ends_the_attempt() {
    for body in ["6", "40", r#"0{"sid":""}"#] {
        let mut talk = Talk::opening(Transport::Polling);
        let told = talk.polled(body);
        assert_eq!(
            told.last().unwrap(),
            "closed: a poll was answered with HTTP status 200: no open packet that can be used in the first payload"
        );
        assert!(talk.session.is_closed());
    }
}

#[test]
fn one_bad_field_of_the_handshake_is_told_and_the_session_goes_on() {
    for (change, to) in [
        ("300", "0"),
        ("300", "-1"),
        ("300", "1e300"),
        ("300", r#""x""#),
        ("\"pingInterval\"", "\"other\""),
        ("200", "null"),
        ("40}", "-5}"),
        ("\"s1\"", "17"),
        ("[\"websocket\"]", "7"),
    ] {
        let mut talk = Talk::opening(Transport::Polling);
        let told = talk.polled(&OPEN.replacen(change, to, 1));
        assert_eq!(told, ["opened, violated engine.handshake-field"], "{change} to {to}");
        assert!(talk.session.is_open(), "{change} to {to}");
    }
}

#[test]
fn over_a_websocket_a_session_goes_on_even_without_an_id() {
    let mut talk = Talk::opening(Transport::Websocket);
    talk.dialed();
    assert_eq!(talk.hears(&OPEN_WEBSOCKET.replace("s1", "")), "opened, violated engine.handshake-field");
    assert!(talk.session.is_open());
}

#[test]
fn a_first_body_that_is_not_text_ends_the_attempt() {
    let mut talk = Talk::opening(Transport::Polling);
    let told = talk.poll_answered(200, &[], b"\xff");
    assert_eq!(told[0], "violated engine.payload-utf8");
    assert!(told[1].starts_with("closed: "), "{told:?}");
    assert!(talk.session.is_closed());
}

#[test]
fn opening_again_leaves_nothing_of_the_earlier_connection_behind() {
    let mut talk = Talk::websocket().joined();
    talk.session.open(&mut talk.wire, Transport::Polling);
    assert_eq!(
        talk.said(),
        ["cut websocket", "cut poll", "cut post", "get /socket.io/?EIO=4&transport=polling"]
    );
    assert!(!talk.session.is_connected("/") && talk.session.poll_timeout().is_none());
}
