//! Whole clients in memory.

mod answers;
mod arrivals;
mod connects;
mod elsewhere;
mod login;
mod pace;
mod raw;
mod responses;
mod retry;
mod rounds;
mod settled;
mod spoilt;
mod stage;

use std::time::Duration;

use super::*;
use crate::observe::{Counter, Metric};
use crate::protocol::http::Head;
use stage::*;

#[test]
fn a_connect_ends_with_its_patience_and_not_before() {
    play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        assert_eq!(play.said(), ["dial /socket.io/?EIO=4&transport=websocket"]);
        assert_eq!(play.wake(), Some(1000));
        assert_eq!(play.pass(999), Flow::Waiting);
        assert_eq!(play.pass(1), Flow::Done);
        let why = "the server did not complete the Engine.IO handshake within 1s".to_owned();
        assert_eq!(play.found.missed, [(FailureKind::Connect(Cause::NoHandshake), why)]);
        assert!(play.said().contains(&"Cut websocket".to_owned()));
        assert!(!play.client.is_live());
    });
}

#[test]
fn a_connect_that_is_slow_but_in_time_is_measured_from_its_due_time() {
    play("{ alice: 1 }", "- alice: { connect: { within: 1s } }", 0, |mut play| {
        play.begin(0);
        play.pass(300);
        play.accepted();
        play.pass(100);
        play.hear(OPEN);
        play.pass(500);
        assert_eq!(play.hear(r#"40{"sid":"s"}"#), Flow::Done);
        assert_eq!(play.found.latency(Metric::Connect), [900]);
        assert_eq!(play.found.latency(Metric::ConnectNamespace), [500]);
        assert_eq!(play.found.latency(Metric::ConnectOpen), [100]);
        assert_eq!(play.found.passed, [0]);
        assert!(play.client.is_live());
    });
}

#[test]
fn clients_arrive_at_their_rate_and_only_the_first_time() {
    let script = "- crowd: connect\n- crowd: { disconnect: cut }\n- crowd: connect";
    play("{ crowd: { count: 9, arrive: 10/s } }", script, 3, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        assert_eq!(play.wake(), Some(300));
        play.pass(299);
        assert_eq!(play.said(), [""; 0]);
        // Late by five milliseconds: the lag is ours, and the latency is told from the due time.
        play.now += Duration::from_millis(6);
        play.call(Client::handle_timeout);
        assert_eq!(play.said().len(), 1);
        assert_eq!(play.found.latency(Metric::ConnectLag), [5]);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"s"}"#);
        assert_eq!(play.found.latency(Metric::Connect), [5]);
        play.begin(1);
        play.said();
        play.begin(2);
        assert_eq!(play.said().len(), 1, "who is there needs not arrive again");
    });
}

#[test]
fn an_acknowledgement_that_does_not_come_is_missed_at_its_deadline() {
    connected("- alice: { emit: { event: a, ack: { within: 100ms } } }", |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.said(), [r#"420["a"]"#]);
        assert_eq!(play.pass(99), Flow::Waiting);
        assert_eq!(play.pass(1), Flow::Done);
        let why = "no acknowledgement within 100ms".to_owned();
        assert_eq!(play.found.missed, [(FailureKind::Ack, why)]);
        // Too late for the step, and still the answer to a question: no violation.
        play.hear(r#"430[]"#);
        assert_eq!(play.found.troubles, []);
        assert_eq!(play.found.count(Counter::AckReceived), 0);
    });
}

#[test]
fn a_generator_that_wakes_late_says_how_late() {
    let script =
        "- alice: { repeat: { times: 2, every: 100ms, steps: [ { emit: { event: a, ack: true } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        play.pass(5);
        play.hear("430[]");
        play.now += Duration::from_millis(107);
        play.call(Client::handle_timeout);
        assert_eq!(play.found.latency(Metric::Lag), [0, 12]);
    });
}

#[test]
fn rounds_that_the_server_left_no_time_for_are_counted_as_due() {
    let script =
        "- alice: { repeat: { for: 1s, every: 100ms, steps: [ { emit: { event: a, ack: true } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        play.pass(950);
        play.hear("430[]");
        // The second round begins at 950; the others had no time.
        play.pass(60);
        play.hear("431[]");
        assert_eq!(play.found.count(Counter::RoundsBegun), 2);
        assert_eq!(play.found.count(Counter::RoundsDue), 10);
    });
}

#[test]
fn rounds_that_are_late_keep_the_schedule_and_are_measured_from_their_due_times() {
    let script =
        "- alice: { repeat: { times: 4, every: 100ms, steps: [ { emit: { event: a, ack: true } } ] } }";
    connected(script, |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.said(), [r#"420["a"]"#]);
        // The server stalls; the rounds due at 100 and 200 cannot begin.
        play.pass(250);
        assert_eq!(play.said(), [""; 0]);
        play.hear("430[]");
        assert_eq!(play.said(), [r#"421["a"]"#]);
        play.pass(10);
        play.hear("431[]");
        play.pass(10);
        play.hear("432[]");
        // Caught up: the last round is not due before 300.
        assert_eq!(play.said(), [r#"422["a"]"#]);
        assert_eq!(play.wake(), Some(30));
        play.pass(29);
        assert_eq!(play.said(), [""; 0]);
        play.pass(1);
        assert_eq!(play.said(), [r#"423["a"]"#]);
        play.pass(5);
        assert_eq!(play.hear("433[]"), Flow::Done);
        assert_eq!(play.found.latency(Metric::Ack), [250, 160, 70, 5]);
        assert_eq!(play.found.latency(Metric::AckService), [250, 10, 10, 5]);
        // The client waited for the server: that is not the generator's lag.
        assert_eq!(play.found.latency(Metric::Lag), [0, 0, 0, 0]);
        assert_eq!(play.found.count(Counter::RoundsDue), 4);
        assert_eq!(play.found.count(Counter::RoundsBegun), 4);
    });
}

#[test]
fn a_repeat_for_a_time_begins_no_round_after_it() {
    let script = "- alice: { repeat: { for: 250ms, every: 100ms, steps: [ { emit: { event: a } } ] } }";
    connected(script, |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.pass(249), Flow::Done);
        assert_eq!(play.said().len(), 3);
        assert_eq!(play.pass(10_000), Flow::Done);
        assert_eq!(play.said(), [""; 0]);
    });
}

#[test]
fn a_repeat_that_begins_late_has_as_many_rounds_as_its_schedule() {
    let script = "- alice: { repeat: { for: 300ms, every: 100ms, steps: [ { emit: { event: a } } ] } }";
    connected(script, |mut play| {
        let (steps, due) = (play.plan.acts[1].steps, play.now);
        play.now += Duration::from_millis(1);
        play.call(|client, io| client.begin(io, steps, due));
        play.pass(1000);
        assert_eq!(play.said().len(), 3);
        assert_eq!(play.found.count(Counter::RoundsDue), 3);
    });
}

#[test]
fn jitter_moves_a_round_within_its_share_and_not_the_schedule() {
    let script =
        "- alice: { repeat: { times: 50, every: 100ms, jitter: 20%, steps: [ { emit: { event: a } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        let (mut before, mut moved) = (play.said().len(), 0);
        for round in 0..50 {
            // Within the first fifth of its hundred milliseconds, the round begins.
            play.pass(20);
            before += play.said().len();
            assert_eq!(before, round + 1);
            play.pass(79);
            assert_eq!(play.said(), [""; 0], "round {round}");
            moved += u32::from(play.wake() > Some(2));
            play.pass(1);
            before += play.said().len();
        }
        assert!(moved > 25, "{moved}");
    });
}

#[test]
fn a_repeat_of_a_client_that_lost_its_connection_ends() {
    let script = "- alice: { repeat: { for: 60s, every: 1s, steps: [ { emit: { event: a } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        play.pass(1500);
        play.call(|client, io| client.handle_lost(io, Channel::WebSocket, Lost::Ended));
        assert_eq!(play.pass(1000), Flow::Done);
        let causes: Vec<&str> = play.found.troubles.iter().map(|(cause, _)| cause.as_str()).collect();
        assert_eq!(
            causes,
            [
                "a connection ended that should have stayed",
                "a `repeat` ended early because the client lost its connection"
            ]
        );
        assert_eq!(play.found.count(Counter::Dropped), 1);
        assert_eq!(play.found.wronged, [FailureKind::Dropped(Cause::Ended, None)]);
    });
}

#[test]
fn events_are_judged_in_the_order_in_which_they_came() {
    let script = "- alice: [ { expect: { event: a, args: [1] } }, { expect: { event: a, args: [2] } }, \
                  { expect: { event: a, args: [3] } } ]";
    connected(script, |mut play| {
        // Two before the step begins, one after.
        play.hear(r#"42["a",1]"#);
        play.hear(r#"42["other",2]"#);
        play.hear(r#"42["a",3]"#);
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.found.passed, [0, 1]);
        // The wanted one may be late.
        play.pass(250);
        assert_eq!(play.found.failed[0].expected, "the event `a` with the list [2]");
        assert_eq!(play.found.failed[0].actual, r#"["a",3]: at [0]: expected 2, got 3"#);
        assert_eq!(play.hear(r#"42["a",3]"#), Flow::Done);
        assert_eq!(play.found.passed, [0, 1, 3]);
        assert_eq!(play.found.failed.len(), 1);
    });
}

#[test]
fn in_any_order_the_first_that_fits_is_taken_wherever_it_stands() {
    let script =
        "- alice: [ { expect: { event: a, args: [2], order: any } }, { expect: { event: a, args: [1] } } ]";
    connected(script, |mut play| {
        play.hear(r#"42["a",1]"#);
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.hear(r#"42["a",2]"#), Flow::Done);
        assert_eq!(play.found.passed, [0, 1, 2]);
    });
}

#[test]
fn an_event_that_comes_too_late_or_through_another_namespace_is_not_it() {
    connected("- alice: { expect: { event: a, times: 2, within: 100ms } }", |mut play| {
        play.begin(1);
        play.hear(r#"42["a",1]"#);
        play.hear(r#"42/other,["a",2]"#);
        assert_eq!(play.pass(99), Flow::Waiting);
        assert_eq!(play.pass(1), Flow::Done);
        assert_eq!(play.found.failed[0].expected, "the event `a`, number 2 of 2");
        assert_eq!(play.found.failed[0].actual, "it did not come within 100ms; no other event is waiting");
        assert!(play.found.troubles[0].0.contains("speaks only in namespaces"));
    });
}

#[test]
fn silence_is_judged_by_a_round_trip() {
    connected(
        "- alice: { expect_none: { event: a } }\n- alice: { expect_none: { event: a } }",
        |mut play| {
            assert_eq!(play.begin(1), Flow::Waiting);
            assert_eq!(play.said(), [r#"420["t:join",[]]"#]);
            play.pass(4000);
            assert_eq!(play.hear("430[[]]"), Flow::Done);
            assert_eq!(play.found.passed, [0, 1]);
            // What comes before the answer counts, and what was there before the step too.
            play.hear(r#"42["a",1]"#);
            play.begin(2);
            play.hear(r#"42["a",2]"#);
            assert_eq!(play.hear("431[[]]"), Flow::Done);
            assert_eq!(play.found.failed[0].expected, "not the event `a`");
            assert_eq!(play.found.failed[0].actual, r#"["a",1], and 1 more"#);
        },
    );
}

#[test]
fn without_the_round_trip_silence_proves_nothing() {
    connected("- alice: { expect_none: { event: a, within: 1s } }", |mut play| {
        play.begin(1);
        assert_eq!(play.pass(1000), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "it could not be judged: no acknowledgement within 1s");
    });
}

#[test]
fn more_events_than_are_kept_are_counted_and_told() {
    connected("- alice: { expect: { event: a, args: [1], order: any, within: 1s } }", |mut play| {
        for _ in 0..20_000 {
            play.hear(r#"42["a",0]"#);
        }
        play.begin(1);
        play.pass(1000);
        assert_eq!(play.found.count(Counter::Received), 20_000);
        let actual = &play.found.failed[0].actual;
        assert!(actual.starts_with("it did not come within 1s"), "{actual}");
    });
    connected(
        "- alice: { expect: { event: b, within: 1s } }\n- alice: { expect: { event: a } }",
        |mut play| {
            for _ in 0..20_000 {
                play.hear(r#"42["a",0]"#);
            }
            play.begin(1);
            play.pass(1000);
            assert_eq!(
                play.found.failed[0].actual,
                r#"it did not come within 1s; 16384 other events are waiting, first ["a",0]; 3616 more did not fit and were dropped"#
            );
        },
    );
}

#[test]
fn large_events_are_bounded_by_their_bytes() {
    connected(
        "- alice: { expect: { event: b, within: 1s } }\n- alice: { expect: { event: a } }",
        |mut play| {
            let event = format!(r#"42["a","{}"]"#, "x".repeat(1 << 20));
            (0..20).for_each(|_| _ = play.hear(&event));
            play.begin(1);
            play.pass(1000);
            let actual = &play.found.failed[0].actual;
            assert!(actual.contains("15 other events are waiting"), "{actual:.100}");
            assert!(actual.ends_with("5 more did not fit and were dropped"));
        },
    );
}

#[test]
fn an_answer_is_given_after_the_time_that_the_client_thinks() {
    let script = "- alice: { answer: { event: how, args: [fine], after: 50ms } }\n- alice: { wait: 1s }";
    connected(script, |mut play| {
        play.begin(1);
        play.hear(r#"427["how"]"#);
        play.pass(20);
        play.hear(r#"428["how"]"#);
        assert_eq!(play.said(), [""; 0]);
        assert_eq!(play.wake(), Some(30));
        play.pass(29);
        assert_eq!(play.said(), [""; 0]);
        play.pass(1);
        assert_eq!(play.said(), [r#"437["fine"]"#]);
        play.pass(20);
        assert_eq!(play.said(), [r#"438["fine"]"#]);
    });
}

#[test]
fn an_answer_is_not_given_on_another_connection_than_its_question() {
    let script = "- alice: { answer: { event: how, args: [fine], after: 50ms } }\n- alice: { disconnect: cut }\n\
                  - alice: connect";
    connected(script, |mut play| {
        play.begin(1);
        play.hear(r#"427["how"]"#);
        play.begin(2);
        play.begin(3);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"t"}"#);
        play.said();
        play.pass(1000);
        assert_eq!(play.said(), [""; 0]);
    });
}

#[test]
fn a_client_that_cut_its_own_connection_is_not_dropped_by_the_next() {
    connected("- alice: { disconnect: cut }\n- alice: connect", |mut play| {
        assert!(play.client.is_live());
        play.begin(1);
        assert!(!play.client.is_live());
        play.begin(2);
        let lost = Lost::Unreachable("connection refused".to_owned());
        play.call(|client, io| client.handle_lost(io, Channel::WebSocket, lost));
        assert_eq!(play.found.count(Counter::Dropped), 0);
        assert_eq!(play.found.missed[0].0, FailureKind::Connect(Cause::Unreachable));
    });
}

#[test]
fn answers_that_are_put_off_are_bounded() {
    connected("- alice: { answer: { event: how, args: [fine], after: 1h } }", |mut play| {
        play.begin(1);
        (0..10_000).for_each(|id| _ = play.hear(&format!(r#"42{id}["how"]"#)));
        assert_eq!(play.client.thinking.len(), 4096);
        assert_eq!(play.found.troubles.len(), 10_000 - 4096);
    });
}

#[test]
fn a_lost_connection_is_told_by_every_step_that_needed_it() {
    let script =
        "- alice: [ { emit: { event: a, ack: true } }, { expect: { event: b } }, { emit: { event: c } } ]";
    connected(script, |mut play| {
        play.begin(1);
        let lost = Lost::Closed { code: Some(1011), reason: "out of coffee".to_owned() };
        assert_eq!(play.call(|client, io| client.handle_lost(io, Channel::WebSocket, lost)), Flow::Done);
        let why = "the server closed the WebSocket with code 1011 (out of coffee)";
        let ended = format!("the connection ended: {why}");
        let gone = format!("the connection is gone: {why}");
        assert_eq!(play.found.missed, [(FailureKind::Ack, ended)]);
        let failed: Vec<&str> = play.found.failed.iter().map(|failure| &*failure.actual).collect();
        assert_eq!(failed, [&*format!("{gone}; no other event is waiting"), &gone]);
    });
}

#[test]
fn a_response_that_comes_between_two_acts_is_kept_and_seen_once() {
    let script = "- eve: { http: { get: \"/a\", as: first, async: true } }\n\
                  - eve: { http: { await: first, expect: { status: 204 } } }\n\
                  - eve: { http: { await: first, within: 1s, expect: { status: 204 } } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Done);
        assert_eq!(play.said(), ["http 0 GET /a"]);
        let head = Head { status: 204, reason: String::new(), headers: Vec::new() };
        let response = Response { head, body: Vec::new(), keep_alive: true };
        play.call(|client, io| client.handle_response(io, Channel::Aside(0), &response));
        assert_eq!(play.begin(1), Flow::Done);
        assert_eq!(play.found.passed, [1]);
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(play.pass(1000), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "no response within 1s");
    });
}

#[test]
fn a_response_that_was_judged_is_not_judged_again() {
    let script = "- eve: { http: { get: \"/a\", as: first, expect: { status: 204 } } }\n\
                  - eve: { http: { await: first, within: 1s, expect: { status: 204 } } }";
    play("{ eve: 1 }", script, 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        let head = Head { status: 204, reason: String::new(), headers: Vec::new() };
        let response = Response { head, body: Vec::new(), keep_alive: true };
        assert_eq!(
            play.call(|client, io| client.handle_response(io, Channel::Aside(0), &response)),
            Flow::Done
        );
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.pass(1000), Flow::Done);
        assert_eq!(play.found.failed[0].actual, "no response within 1s");
    });
}

#[test]
fn a_step_that_follows_another_is_due_when_that_is_done() {
    let emit = "{ emit: { event: a, ack: true } }";
    connected(&format!("- alice: [ {emit}, {emit} ]"), |mut play| {
        play.begin(1);
        play.pass(50);
        play.hear("430[]");
        play.pass(30);
        assert_eq!(play.hear("431[]"), Flow::Done);
        assert_eq!(play.found.latency(Metric::Ack), [50, 30]);
    });
}

#[test]
fn the_first_hundred_of_a_large_cast_remember_their_frames_and_no_others() {
    let script = "- all: connect\n- all: { expect: { event: a, args: [1] } }";
    for (n, remembered) in [(0, 5), (99, 5), (100, 0), (299, 0)] {
        play("{ alice: 1, crowd: 299 }", script, n, |mut play| {
            play.begin(0);
            play.accepted();
            play.hear(OPEN);
            play.hear(r#"40{"sid":"s"}"#);
            play.begin(1);
            play.hear(r#"42["a",2]"#);
            play.pass(250);
            // The dial, the open packet, CONNECT and its answer, and the event.
            let told = &play.found.failed[0].wire;
            assert_eq!(told.len(), remembered, "{n}: {told:?}");
        });
    }
}

#[test]
fn heartbeats_in_a_row_are_one_line_of_the_log_and_push_nothing_out() {
    connected("- alice: { expect: { event: a, args: [1] } }", |mut play| {
        play.begin(1);
        for _ in 0..20 {
            play.hear("2");
        }
        play.hear(r#"42["a",2]"#);
        play.pass(250);
        let told: Vec<&str> = play.found.failed[0].wire.iter().map(|line| &*line.text).collect();
        assert_eq!(told[0], "GET /socket.io/?EIO=4&transport=websocket (websocket)");
        assert_eq!(told[told.len() - 4..], ["(19 heartbeats)", "2", "3", r#"42["a",2]"#], "{told:?}");
    });
}

#[test]
fn a_long_frame_leaves_no_more_than_its_beginning_in_the_log() {
    connected("- alice: { expect: { event: a, args: [1] } }", |mut play| {
        play.begin(1);
        play.hear(&format!(r#"42["a","{}"]"#, "x".repeat(1 << 20)));
        play.pass(250);
        let lines = &play.found.failed[0].wire;
        let longest = play.client.actor.wire_log_capacity();
        assert!(longest < 1000, "{longest}");
        assert!(lines.last().is_some_and(|line| line.text.ends_with("… (1048586 bytes)")), "{lines:?}");
    });
}

#[test]
fn the_number_of_the_run_is_the_same_for_all_its_clients() {
    let script = r#"- all: { open: { query: { room: "r-${run}" } } }"#;
    for n in 0..2 {
        play("{ alice: 1, bob: 1 }", script, n, |mut play| {
            play.begin(0);
            assert_eq!(play.said(), ["dial /socket.io/?EIO=4&transport=websocket&room=r-7"]);
        });
    }
}

#[test]
fn an_assertion_judges_what_was_kept_before() {
    let script = "- alice: { emit: { event: a, ack: { capture: got } } }\n\
                  - alice: { assert: { value: \"${got.id}\", is: { $not: \"${sid}\" } } }\n\
                  - alice: { assert: { value: [{ $hex: \"0102\" }, \"${got}\"], is: [{ $bytes: 2 }, { id: x }] } }\n\
                  - alice: { assert: { value: \"${got.other}\", is: 1 } }";
    connected(script, |mut play| {
        play.begin(1);
        play.hear(r#"430[{"id":"s"}]"#);
        for act in 2..=4 {
            assert_eq!(play.begin(act), Flow::Done);
        }
        let actual: Vec<&str> = play.found.failed.iter().map(|failure| failure.actual.as_str()).collect();
        assert_eq!(
            actual,
            [
                "expected anything but a value that depends on the client, got the text \"s\"",
                "at [1].id: expected the text \"x\", got the text \"s\"",
                "there is no `other` in the object {\"id\":\"s\"}",
            ]
        );
    });
    connected(&script.replace("{ $not: \"${sid}\" }", "\"${sid}\"").replace("id: x", "id: s"), |mut play| {
        play.begin(1);
        play.hear(r#"430[{"id":"s"}]"#);
        play.found.passed.clear();
        play.begin(2);
        play.begin(3);
        assert_eq!(play.found.passed, [2, 3]);
    });
}
