//! EIO "Upgrade": the order, and the way back to long-polling from every stage.

use super::talk::{OPEN, Talk};
use crate::protocol::http::Head;
use crate::session::{Channel, Lost, Polls, Transport};

const GET: &str = "get /socket.io/?EIO=4&transport=polling&sid=s1";
const DIAL: &str = "dial /socket.io/?EIO=4&transport=websocket&sid=s1";

/// A session that has joined by long-polling and asks for an upgrade; one poll is pending.
fn upgrading() -> Talk {
    let mut talk = Talk::polling().joined();
    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    assert_eq!(talk.said(), [DIAL]);
    talk
}

fn closed() -> Lost {
    Lost::Closed { code: Some(1011), reason: String::new() }
}

const WHY: &str = "upgrade failed: the server closed the WebSocket with code 1011";

#[test]
fn the_order_is_probe_then_poll_and_post_home_then_upgrade_then_what_has_gathered() {
    let mut talk = upgrading();
    talk.emit("/", r#"["before"]"#);
    assert_eq!(talk.said(), [r#"post 42["before"]"#]);
    talk.dialed();
    assert_eq!(talk.said(), ["send 2probe"]);
    assert_eq!(talk.hears("3probe"), "nothing");
    assert_eq!(talk.said(), [""; 0]);

    // From here on everything is held back: neither the post's end nor new events lead to another post.
    talk.emit("/", r#"["held"]"#);
    assert_eq!(talk.posted(), "nothing");
    talk.emit_binary("/", r#"["b",{"_placeholder":true,"num":0}]"#, &[b"\x07"]);
    assert_eq!(talk.said(), [""; 0]);

    assert_eq!(talk.polled(r#"42["last by poll"] | 6"#), [r#"event / ["last by poll"]"#, "upgraded"]);
    assert_eq!(
        talk.said(),
        [
            "send 5",
            r#"send 42["held"]"#,
            r#"send 451-["b",{"_placeholder":true,"num":0}]"#,
            "send [07]",
            "close poll",
            "close post"
        ]
    );
    assert!(!talk.session.is_polling() && !talk.session.is_upgrading());

    talk.emit("/", r#"["after"]"#);
    assert_eq!(talk.said(), [r#"send 42["after"]"#]);
    assert_eq!(talk.hears(r#"42["hi"]"#), r#"event / ["hi"]"#);
}

#[test]
fn the_post_may_come_home_after_the_poll() {
    let mut talk = upgrading();
    talk.emit("/", r#"["before"]"#);
    talk.dialed();
    talk.hears("3probe");
    talk.said();
    assert_eq!(talk.polled("6"), [""; 0]);
    assert_eq!(talk.said(), [""; 0]);
    assert_eq!(talk.posted(), "upgraded");
    assert_eq!(talk.said(), ["send 5", "close poll", "close post"]);
}

#[test]
fn polls_and_posts_go_on_until_the_probe_is_answered() {
    let mut talk = upgrading();
    talk.emit("/", r#"["a"]"#);
    assert_eq!(talk.said(), [r#"post 42["a"]"#]);
    talk.dialed();
    talk.said();
    talk.posted();
    assert_eq!(talk.polled("6"), [""; 0]);
    talk.emit("/", r#"["b"]"#);
    assert_eq!(talk.said(), [GET, r#"post 42["b"]"#]);
}

#[test]
fn a_ping_that_releases_the_last_poll_is_answered_over_the_websocket() {
    let mut talk = upgrading();
    talk.dialed();
    talk.hears("3probe");
    talk.said();
    assert_eq!(talk.polled("2"), ["heartbeat", "upgraded"]);
    assert_eq!(talk.said(), ["send 5", "send 3", "close poll", "close post"]);
}

#[test]
fn an_unreadable_body_of_the_last_poll_does_not_hide_the_upgrade() {
    let mut talk = upgrading();
    talk.dialed();
    talk.hears("3probe");
    assert_eq!(talk.poll_answered(200, &[], b"\xff"), ["violated engine.payload-utf8", "upgraded"]);
    assert!(!talk.session.is_polling());
}

#[test]
fn a_refused_dial_leaves_everything_as_it_was() {
    let mut talk = upgrading();
    let answer = Lost::Refused(Box::new((
        Head { status: 400, reason: String::new(), headers: Vec::new() },
        Vec::new(),
    )));
    assert_eq!(
        talk.loses(Channel::WebSocket, answer),
        "upgrade failed: the WebSocket handshake was answered with HTTP status 400"
    );
    // The poll of before is still pending, so there is nothing to say.
    assert_eq!(talk.said(), [""; 0]);
    talk.emit("/", r#"["a"]"#);
    assert_eq!(talk.said(), [r#"post 42["a"]"#]);
    assert_eq!(talk.polled(r#"42["b"]"#), [r#"event / ["b"]"#]);
    assert_eq!(talk.said(), [GET]);
}

#[test]
fn a_websocket_that_ends_before_the_probe_is_answered_changes_nothing() {
    let mut talk = upgrading();
    talk.dialed();
    talk.said();
    assert_eq!(talk.loses(Channel::WebSocket, closed()), WHY);
    assert_eq!(talk.polled("6"), [""; 0]);
    assert_eq!(talk.said(), [GET]);
}

#[test]
fn a_websocket_that_ends_while_the_poll_comes_home_gives_back_what_was_held() {
    let mut talk = upgrading();
    talk.dialed();
    talk.hears("3probe");
    talk.emit("/", r#"["held"]"#);
    talk.said();
    assert_eq!(talk.loses(Channel::WebSocket, closed()), WHY);
    assert_eq!(talk.said(), [r#"post 42["held"]"#]);
    assert_eq!(talk.polled("6"), [""; 0]);
    assert_eq!(talk.said(), [GET]);
}

#[test]
fn a_websocket_that_ends_after_the_poll_is_home_makes_it_poll_again() {
    let mut talk = upgrading();
    talk.emit("/", r#"["before"]"#);
    talk.dialed();
    talk.hears("3probe");
    talk.emit("/", r#"["held"]"#);
    talk.polled("6");
    talk.said();
    assert_eq!(talk.loses(Channel::WebSocket, closed()), WHY);
    assert_eq!(talk.said(), [GET]);
    assert_eq!(talk.posted(), "nothing");
    assert_eq!(talk.said(), [r#"post 42["held"]"#]);
}

#[test]
fn a_second_attempt_may_succeed() {
    let mut talk = upgrading();
    talk.dialed();
    talk.loses(Channel::WebSocket, closed());
    talk.said();
    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    assert_eq!(talk.said(), [DIAL]);
    talk.dialed();
    talk.hears("3probe");
    assert_eq!(talk.polled("6"), ["upgraded"]);
}

#[test]
fn only_an_open_polling_session_can_be_upgraded_and_only_once_at_a_time() {
    let mut talk = Talk::websocket();
    assert!(!talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    let mut talk = Talk::opening(Transport::Polling);
    assert!(!talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    let mut talk = upgrading();
    assert!(!talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn a_wrong_answer_to_the_probe_is_reported_and_long_polling_goes_on() {
    for wrong in ["3", "3probed", "40", "6"] {
        let mut talk = upgrading();
        talk.dialed();
        talk.said();
        let told = talk.hears(wrong);
        assert!(told.starts_with("violated") || told == "nothing", "{told}");
        talk.emit("/", r#"["a"]"#);
        assert_eq!(talk.said(), [r#"post 42["a"]"#]);
        assert_eq!(talk.polled(r#"42["b"]"#), [r#"event / ["b"]"#]);
        assert_eq!(talk.said(), [GET]);
    }
}

#[test]
fn an_upgrade_by_hand_leaves_the_polls_to_the_scenario() {
    let mut talk = Talk::opening(Transport::Polling);
    talk.session.set_polls(&mut talk.wire, Polls::ByHand);
    assert_eq!(talk.polled(OPEN), ["opened"]);
    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    talk.dialed();
    assert_eq!(talk.said(), [DIAL, "send 2probe"]);
    assert_eq!(talk.loses(Channel::WebSocket, closed()), WHY);
    assert_eq!(talk.said(), [""; 0]);

    assert!(talk.session.upgrade(&mut talk.wire, Channel::WebSocket));
    talk.dialed();
    assert_eq!(talk.hears("3probe"), "upgraded");
    assert_eq!(talk.said(), [DIAL, "send 2probe", "send 5", "close poll", "close post"]);
}

#[test]
fn after_the_upgrade_the_http_lanes_have_no_say() {
    let mut talk = upgrading();
    talk.dialed();
    talk.hears("3probe");
    assert_eq!(talk.polled("6"), ["upgraded"]);
    talk.said();
    assert_eq!(talk.loses(Channel::Poll, Lost::Ended), "nothing");
    assert_eq!(talk.loses(Channel::Post, Lost::Ended), "nothing");
    assert_eq!(talk.poll_answered(400, &[], b""), [""; 0]);
    assert!(talk.session.is_open());
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn closing_amid_an_upgrade_drops_the_websocket_and_closes_by_post() {
    for stage in 0..3 {
        let mut talk = upgrading();
        if stage > 0 {
            talk.dialed();
        }
        if stage > 1 {
            talk.hears("3probe");
            talk.emit("/", r#"["held"]"#);
        }
        talk.said();
        talk.close();
        let held = if stage > 1 { r#"42["held"] | "# } else { "" };
        assert_eq!(talk.said(), ["cut websocket".to_owned(), format!("post {held}41 | 1")]);
        assert_eq!(talk.posted(), "closed: closed as asked");
    }
}
