//! EIO "Heartbeat". The script's server promises a ping every 300 ms and 200 ms of patience.

use std::time::Duration;

use super::talk::{OPEN, Talk};
use crate::session::{Heartbeats, Polls, Transport};

#[test]
fn pings_are_answered_over_a_websocket() {
    let mut talk = Talk::websocket();
    for _ in 0..5 {
        assert_eq!(talk.wait(499), "nothing");
        assert_eq!(talk.hears("2"), "heartbeat");
        assert_eq!(talk.said(), ["send 3"]);
    }
    assert_eq!(talk.hears("2abc"), "heartbeat");
    assert_eq!(talk.said(), ["send 3abc"]);
}

#[test]
fn pings_are_answered_over_polling() {
    let mut talk = Talk::polling();
    for _ in 0..5 {
        assert_eq!(talk.wait(499), "nothing");
        assert_eq!(talk.polled("2"), ["heartbeat"]);
        assert_eq!(talk.said(), ["post 3", "get /socket.io/?EIO=4&transport=polling&sid=s1"]);
        assert_eq!(talk.posted(), "nothing");
    }
}

#[test]
fn a_server_that_falls_silent_is_given_up_when_interval_and_timeout_have_passed() {
    let mut talk = Talk::websocket().joined();
    assert_eq!(talk.wait(499), "nothing");
    assert_eq!(talk.wait(1), "closed: no ping came within pingInterval + pingTimeout");
    assert_eq!(talk.said(), ["cut websocket"]);
    assert!(talk.session.is_closed() && talk.session.poll_timeout().is_none());

    let mut talk = Talk::polling();
    assert_eq!(talk.wait(500), "closed: no ping came within pingInterval + pingTimeout");
    assert_eq!(talk.said(), ["close poll", "close post"]);
}

#[test]
fn who_polls_by_hand_is_reached_by_no_ping_and_gives_nobody_up() {
    let mut talk = Talk::polling();
    talk.session.set_polls(&mut talk.wire, Polls::ByHand);
    for _ in 0..3 {
        assert_eq!(talk.wait(500), "nothing");
    }
    assert!(talk.session.poll_timeout().is_some());
}

#[test]
fn other_traffic_is_no_substitute_for_a_ping() {
    let mut talk = Talk::websocket().joined();
    assert_eq!(talk.wait(400), "nothing");
    assert_eq!(talk.hears(r#"42["a"]"#), r#"event / ["a"]"#);
    assert_eq!(talk.wait(100), "closed: no ping came within pingInterval + pingTimeout");
}

#[test]
fn a_muted_client_hears_pings_and_leaves_the_closing_to_the_server() {
    for mut talk in [Talk::websocket(), Talk::polling()] {
        talk.session.set_heartbeats(Heartbeats::Muted);
        talk.wait(300);
        if talk.session.is_polling() {
            assert_eq!(talk.polled("2"), ["heartbeat"]);
            assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling&sid=s1"]);
        } else {
            assert_eq!(talk.hears("2"), "heartbeat");
            assert_eq!(talk.said(), [""; 0]);
        }
        // A server owes no ping before the last one is answered.
        assert_eq!(talk.wait(60_000), "nothing");
        assert!(talk.session.is_open());
    }
}

#[test]
fn a_client_that_behaves_again_expects_pings_again() {
    let mut talk = Talk::websocket();
    talk.session.set_heartbeats(Heartbeats::Muted);
    talk.hears("2");
    talk.session.set_heartbeats(Heartbeats::Answered);
    talk.wait(5_000);
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.said(), ["send 3"]);
    assert_eq!(talk.wait(499), "nothing");
    assert_eq!(talk.wait(1), "closed: no ping came within pingInterval + pingTimeout");
}

#[test]
fn heartbeats_go_on_across_an_upgrade() {
    let mut talk = Talk::opening(Transport::Upgrade);
    talk.polled(OPEN);
    talk.dialed();
    talk.wait(300);
    assert_eq!(talk.polled("2"), ["heartbeat"]);
    talk.posted();
    talk.hears("3probe");
    assert_eq!(talk.polled("6"), ["upgraded"]);
    talk.said();
    assert_eq!(talk.wait(499), "nothing");
    assert_eq!(talk.hears("2"), "heartbeat");
    assert_eq!(talk.said(), ["send 3"]);
    assert_eq!(talk.wait(500), "closed: no ping came within pingInterval + pingTimeout");
    assert_eq!(talk.said(), ["cut websocket"]);
}

#[test]
fn the_longest_times_a_server_may_name_are_within_reach_of_the_clock() {
    let mut talk = Talk::opening(Transport::Websocket);
    let long = r#"0{"sid":"s","upgrades":[],"pingInterval":2147483647,"pingTimeout":2147483647}"#;
    assert_eq!(talk.hears(long), "opened");
    assert_eq!(talk.session.poll_timeout(), Some(talk.now + Duration::from_millis(2 * 2_147_483_647)));
}
