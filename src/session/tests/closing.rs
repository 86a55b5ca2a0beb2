//! The end of a connection: by either side, politely or not, over each transport.

use std::time::Duration;

use super::talk::{OPEN, Talk};
use crate::session::{Channel, FAREWELL, Lost, Transport};

fn closed() -> Lost {
    Lost::Closed { code: Some(1000), reason: "bye".into() }
}

#[test]
fn a_polite_close_over_a_websocket_leaves_the_namespaces_and_awaits_the_servers_close() {
    let mut talk = Talk::websocket().joined();
    talk.connect("/chat", None);
    talk.hears(r#"40/chat,{"sid":"b1"}"#);
    talk.said();
    talk.close();
    assert_eq!(talk.said(), ["send 41", "send 41/chat,", "close websocket"]);
    assert!(!talk.session.is_closed() && !talk.session.is_open());
    assert_eq!(talk.loses(Channel::WebSocket, closed()), "closed: closed as asked");
    assert!(talk.session.is_closed());
}

#[test]
fn a_polite_close_over_polling_posts_it_after_everything_else() {
    let mut talk = Talk::polling().joined();
    talk.emit("/", r#"["a"]"#);
    talk.emit("/", r#"["b"]"#);
    talk.close();
    assert_eq!(talk.said(), [r#"post 42["a"]"#]);
    assert!(talk.session.is_closing() && !talk.session.has_said_goodbye());
    assert_eq!(talk.posted(), "nothing");
    assert_eq!(talk.said(), [r#"post 42["b"] | 41 | 1"#]);
    assert!(talk.session.has_said_goodbye());
    assert!(!talk.session.is_closed());
    assert_eq!(talk.posted(), "closed: closed as asked");
    assert_eq!(talk.said(), ["close poll", "close post"]);
}

#[test]
fn the_pending_poll_may_bring_the_servers_note_first() {
    for (status, body) in [(200, "1"), (200, "6 | 1"), (400, r#"{"code":1}"#)] {
        let mut talk = Talk::polling().joined();
        talk.close();
        let body = body.replace(" | ", "\x1e");
        assert_eq!(talk.poll_answered(status, &[], body.as_bytes()), ["closed: closed as asked"]);
        assert!(talk.session.is_closed());
        assert_eq!(talk.posted(), "nothing");
    }
}

#[test]
fn after_the_word_close_nothing_more_is_said() {
    let mut talk = Talk::websocket().joined();
    talk.close();
    talk.said();
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.hears(r#"42["late"]"#), "nothing");
    talk.session.send_raw(&mut talk.wire, "4x");
    talk.close();
    assert_eq!(talk.said(), [""; 0]);

    let mut talk = Talk::polling().joined();
    talk.close();
    assert_eq!(talk.said(), ["post 41 | 1"]);
    assert_eq!(talk.polled("2"), ["heartbeat"]);
    talk.session.send_raw(&mut talk.wire, "4x");
    talk.close();
    assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling&sid=s1"]);
    assert_eq!(talk.posted(), "closed: closed as asked");
}

#[test]
fn a_server_that_takes_no_note_of_the_close_is_left_when_its_ping_is_overdue() {
    for mut talk in [Talk::websocket().joined(), Talk::polling().joined()] {
        talk.close();
        assert_eq!(talk.wait(499), "nothing");
        assert_eq!(talk.wait(1), "closed: closed as asked");
        assert!(talk.session.is_closed());
    }
}

#[test]
fn a_close_before_the_handshake_ends_the_attempt() {
    for transport in [Transport::Websocket, Transport::Polling, Transport::Upgrade] {
        let mut talk = Talk::opening(transport);
        talk.close();
        assert_eq!(talk.said(), ["cut websocket", "cut poll", "cut post"]);
        assert!(talk.session.is_closed());
    }
}

#[test]
fn a_cut_says_nothing_and_is_over_at_once() {
    for mut talk in [Talk::websocket().joined(), Talk::polling().joined()] {
        talk.session.cut(&mut talk.wire);
        assert_eq!(talk.said(), ["cut websocket", "cut poll", "cut post"]);
        assert!(talk.session.is_closed() && talk.session.poll_timeout().is_none());
        assert_eq!(talk.loses(Channel::WebSocket, Lost::Ended), "nothing");
    }
}

#[test]
fn a_close_packet_of_the_server_ends_the_session() {
    let mut talk = Talk::polling().joined();
    let told = talk.polled(r#"42["a"] | 41 | 1 | 42["b"] | 2 | 1"#);
    assert_eq!(
        told,
        [r#"event / ["a"]"#, "disconnected /", "closed: the server sent a close packet"],
        "what follows a close is not heard"
    );
    assert_eq!(talk.said(), ["close poll", "close post"]);
}

#[test]
fn a_websocket_is_read_on_after_a_close_packet_until_it_ends() {
    let mut talk = Talk::websocket().joined();
    assert_eq!(talk.hears("1"), "nothing");
    assert_eq!(talk.hears(r#"42["late"]"#), "nothing");
    assert_eq!(talk.said(), [""; 0]);
    assert_eq!(talk.loses(Channel::WebSocket, closed()), "closed: the server sent a close packet");
    assert!(talk.session.is_closed());
}

#[test]
fn a_websocket_that_does_not_end_after_a_close_packet_is_cut() {
    let mut talk = Talk::websocket().joined();
    talk.hears("1");
    let patience = u64::try_from(FAREWELL.as_millis()).unwrap();
    assert_eq!(talk.wait(patience - 1), "nothing");
    assert_eq!(talk.wait(1), "closed: the server sent a close packet");
    assert_eq!(talk.said(), ["cut websocket"]);
}

#[test]
fn a_websocket_whose_close_frame_is_awaited_is_not_cut_before() {
    for announced_first in [true, false] {
        let mut talk = Talk::websocket().joined();
        let until = talk.now + Duration::from_secs(5);
        if announced_first {
            talk.hears("1");
        }
        talk.session.await_end(until);
        if !announced_first {
            talk.hears("1");
        }
        assert_eq!(talk.wait(4_999), "nothing");
        assert_eq!(talk.wait(1), "closed: the server sent a close packet");
    }
}

#[test]
fn a_lost_websocket_ends_the_session_and_says_why() {
    for (lost, why) in [
        (closed(), "closed: the server closed the WebSocket with code 1000 (bye)"),
        (Lost::Ended, "closed: the server ended the connection without a close frame"),
        (Lost::Broken("reset".into()), "closed: the connection broke: reset"),
    ] {
        let mut talk = Talk::websocket().joined();
        assert_eq!(talk.loses(Channel::WebSocket, lost), why);
        assert!(talk.session.is_closed() && !talk.session.is_connected("/"));
    }
}

#[test]
fn a_lost_poll_or_post_ends_the_session() {
    let mut talk = Talk::polling().joined();
    assert_eq!(
        talk.loses(Channel::Poll, Lost::NoResponse),
        "closed: the server ended the connection without a response (poll)"
    );
    assert_eq!(talk.said(), ["close poll", "close post"]);

    let mut talk = Talk::polling().joined();
    talk.emit("/", r#"["a"]"#);
    let lost = Lost::Broken("reset".into());
    assert_eq!(talk.loses(Channel::Post, lost), "closed: the connection broke: reset (post)");
}

#[test]
fn an_http_connection_that_ends_while_it_is_idle_harms_nobody() {
    // RFC 9112, section 9.8: a server may close an idle connection at any time; Node does so after five seconds.
    let mut talk = Talk::polling().joined();
    assert_eq!(talk.loses(Channel::Post, Lost::Ended), "nothing");
    assert!(talk.session.is_open());
    talk.emit("/", r#"["a"]"#);
    assert_eq!(talk.said(), [r#"post 42["a"]"#]);
}

#[test]
fn a_poll_or_post_without_success_ends_the_session_with_the_servers_words() {
    let mut talk = Talk::polling().joined();
    assert_eq!(
        talk.poll_answered(400, &[], br#"{"code":1,"message":"Session ID unknown"}"#),
        [r#"closed: a poll was answered with HTTP status 400: {"code":1,"message":"Session ID unknown"}"#]
    );
    let mut talk = Talk::polling().joined();
    talk.emit("/", r#"["a"]"#);
    assert_eq!(talk.post_answered(413, ""), "closed: a post was answered with HTTP status 413");
    assert!(talk.session.is_closed());
    let mut talk = Talk::polling().joined();
    let told = talk.poll_answered(500, &[], "é".repeat(10_000).as_bytes());
    assert!(told[0].chars().count() < 300, "{told:?}");
}

#[test]
fn a_session_that_is_over_says_nothing() {
    let mut talk = Talk::websocket().joined();
    talk.session.cut(&mut talk.wire);
    talk.said();
    talk.session.connect(&mut talk.wire, "/", None, false);
    talk.session.disconnect(&mut talk.wire, "/");
    talk.session.answer(&mut talk.wire, "/", 1, "[]", &[]);
    talk.session.send_raw(&mut talk.wire, "2");
    talk.session.send_raw_binary(&mut talk.wire, b"2");
    talk.close();
    assert!(talk.session.emit(&mut talk.wire, "/", "[]", &[], false).is_err());
    assert!(!talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    talk.dialed();
    assert_eq!(talk.hears("2"), "nothing");
    assert_eq!(talk.hears(OPEN), "nothing");
    assert_eq!(talk.hears("1"), "nothing");
    assert_eq!(talk.polled(OPEN), [""; 0]);
    assert_eq!(talk.said(), [""; 0]);
}
