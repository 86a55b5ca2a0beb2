//! Clients that try again.

use super::*;
use crate::observe::Cause;

fn lost(play: &mut Play<'_>, lost: Lost) -> Flow {
    play.call(|client, io| client.handle_lost(io, Channel::WebSocket, lost))
}

fn unreachable(play: &mut Play<'_>) -> Flow {
    lost(play, Lost::Unreachable("nobody listens".to_owned()))
}

/// Waits for the next try, and gives how long that took.
fn next_try(play: &mut Play<'_>) -> u128 {
    let wake = play.wake().expect("another try follows");
    play.said();
    play.pass(wake as u64);
    // Time is told in whole milliseconds here, and pauses are finer.
    play.pass(1);
    assert_eq!(play.said(), ["dial /socket.io/?EIO=4&transport=websocket"]);
    wake
}

fn join(play: &mut Play<'_>) -> Flow {
    play.accepted();
    play.hear(OPEN);
    play.hear(r#"40{"sid":"s"}"#)
}

#[test]
fn a_connect_is_tried_again_after_pauses_that_grow() {
    play("{ alice: 1 }", "- alice: { connect: { retry: { jitter: 10%, most: 3s } } }", 0, |mut play| {
        play.begin(0);
        assert_eq!(play.said().len(), 1, "the first try of a connect is made at once");
        let mut passed = 0;
        for pause in [900..=1_100, 1_800..=2_200, 2_700..=3_000, 2_700..=3_000] {
            assert_eq!(unreachable(&mut play), Flow::Waiting);
            let paused = next_try(&mut play);
            assert!(pause.contains(&paused), "{paused} ms is not among {pause:?}");
            passed += paused;
        }
        assert_eq!(join(&mut play), Flow::Done);
        assert_eq!(play.found.retried, [Cause::Unreachable; 4]);
        assert_eq!((play.found.missed.len(), play.found.passed.len()), (0, 1));
        assert_eq!((play.found.count(Counter::ConnectAsked), play.found.count(Counter::ConnectOk)), (1, 1));
        let [connect] = play.found.latency(Metric::Connect)[..] else { panic!("one connect") };
        assert!((passed..passed + 10).contains(&connect), "{connect} ms, after {passed} ms of pauses");
        assert!(play.found.latency(Metric::ConnectLag).iter().all(|lag| *lag <= 1), "the pauses are no lag");
    });
}

#[test]
fn a_reconnect_pauses_first_and_counts_from_the_loss() {
    let script = "- alice: { expect_closed: { within: 60s } }\n- alice: { reconnect: { retry: true } }";
    connected(script, |mut play| {
        play.begin(1);
        play.pass(5_000);
        assert_eq!(lost(&mut play, Lost::Ended), Flow::Done);
        // A barrier: another client is slow.
        play.pass(100);
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(play.said().iter().filter(|said| said.starts_with("dial")).count(), 0);
        let wake = next_try(&mut play);
        assert!((399..=1_400).contains(&wake), "{wake}");
        play.pass(30);
        assert_eq!(join(&mut play), Flow::Done);
        let [reconnect] = play.found.latency(Metric::Reconnect)[..] else { panic!("one reconnect") };
        assert!((100 + wake + 30..=100 + wake + 33).contains(&reconnect), "{reconnect} ms for {wake} ms");
        assert_eq!(play.found.retried, []);
    });
}

#[test]
fn a_client_that_is_still_connected_does_not_ask_again_to_be_let_in() {
    connected("- alice: reconnect", |mut play| {
        play.said();
        assert_eq!(play.begin(1), Flow::Done);
        assert_eq!(play.said(), [""; 0]);
        let [failure] = &play.found.failed[..] else { panic!("one check fails") };
        let actual = &failure.actual;
        assert!(actual.starts_with("it is still connected to `/`: put `disconnect: cut`"), "{actual}");
    });
}

#[test]
fn a_reconnect_that_tries_again_waits_for_a_loss_that_is_not_noticed_yet() {
    connected("- alice: { reconnect: { retry: true } }", |mut play| {
        play.said();
        assert_eq!(play.begin(1), Flow::Waiting);
        play.pass(3_000);
        assert_eq!(play.said(), [""; 0]);
        assert_eq!(lost(&mut play, Lost::Ended), Flow::Waiting);
        let wake = next_try(&mut play);
        assert!((499..=1_500).contains(&wake), "{wake}");
        assert_eq!(join(&mut play), Flow::Done);
        let [reconnect] = play.found.latency(Metric::Reconnect)[..] else { panic!("one reconnect") };
        assert!((wake..=wake + 3).contains(&reconnect), "{reconnect} ms for {wake} ms");
        assert_eq!((play.found.retried.len(), play.found.failed.len(), play.found.missed.len()), (0, 0, 0));
    });
}

#[test]
fn when_no_try_is_left_the_last_one_is_told() {
    let connect = "{ connect: { retry: { every: 2s, jitter: 0% }, within: 7s } }";
    play("{ alice: 1 }", &format!("- alice: {connect}"), 0, |mut play| {
        play.begin(0);
        unreachable(&mut play);
        next_try(&mut play);
        unreachable(&mut play);
        next_try(&mut play);
        assert_eq!(lost(&mut play, Lost::Ended), Flow::Done, "the next try would begin after 11 s");
        let why = "none of 3 tries within 7s led to one; the last: the server ended the connection without a close frame";
        assert_eq!(play.found.missed, [(FailureKind::Connect(Cause::Ended), why.to_owned())]);
        assert_eq!(play.found.retried, [Cause::Unreachable; 2]);
    });
}

#[test]
fn a_try_that_gets_no_answer_is_cut_after_as_long_as_the_official_client_waits() {
    play("{ alice: 1 }", "- alice: { connect: { retry: true } }", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.said();
        assert_eq!(play.pass(19_999), Flow::Waiting);
        assert_eq!(play.said(), [""; 0]);
        play.pass(1);
        assert!(play.said().contains(&"Cut websocket".to_owned()));
        assert_eq!(play.found.retried, [Cause::NoAnswer]);
        next_try(&mut play);
        assert_eq!(join(&mut play), Flow::Done);
    });
}

#[test]
fn who_is_refused_by_a_namespace_does_not_try_again() {
    play("{ alice: 1 }", "- alice: { connect: { retry: true } }", 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        assert_eq!(play.hear(r#"44{"message":"no"}"#), Flow::Done);
        assert_eq!(play.found.missed[0].0, FailureKind::Connect(Cause::Refused));
        assert_eq!(play.found.retried, []);
    });
}
