//! What became of the messages that a client sent, for the audit: each is settled once, however the wait for it ends.

use super::stage::{Play, connected, connected_as, play};
use super::*;

const ROUND: &str =
    "- alice: { repeat: { times: 1, steps: [ { broadcast: { event: said, within: 1s } } ] } }";
const STEP: &str = "- alice: { broadcast: { event: said, within: 1s } }";

fn answered(play: &mut Play<'_>) {
    play.hear("430[]");
}

fn out_of_time(play: &mut Play<'_>) {
    play.pass(1_500);
}

fn cut_off(play: &mut Play<'_>) {
    play.call(|client, io| client.handle_lost(io, Channel::WebSocket, Lost::Ended));
}

fn left(play: &mut Play<'_>) {
    play.call(|client, io| client.leave(io));
}

#[test]
fn a_message_is_settled_once_however_the_wait_for_it_ends() {
    type End = fn(&mut Play<'_>);
    let ends: [(End, bool); 4] = [(answered, true), (out_of_time, false), (cut_off, false), (left, false)];
    for (script, (end, is_handled)) in
        [ROUND, STEP].into_iter().flat_map(|script| ends.map(|end| (script, end)))
    {
        connected(script, |mut play| {
            assert_eq!(play.begin(1), Flow::Waiting);
            assert!(play.found.settled.is_empty());
            end(&mut play);
            left(&mut play);
            assert_eq!(play.found.settled.as_slice(), &[is_handled]);
        });
    }
}

#[test]
fn the_audit_is_told_once_of_a_connection_that_a_client_acts_by_hand_on_it() {
    let script = "- alice: { send: '42[\"enter\",\"a\"]' }\n- alice: { send: '42[\"enter\",\"b\"]' }\n- alice: { broadcast: { event: said } }";
    connected(script, |mut play| {
        for step in [1, 2, 3] {
            play.begin(step);
        }
        assert_eq!(play.found.rooms, ["untraced in all"]);
    });
    let script = "- alice: [ open, { send: '40' } ]\n- alice: { broadcast: { event: said } }";
    play("{ alice: 1 }", script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"s"}"#);
        assert_eq!(play.found.rooms, ["untraced in all", "untraced in /"], "what began by hand began so");
    });
}

#[test]
fn an_emit_of_the_contracts_own_join_or_leave_asks_for_a_room_and_another_event_does_not() {
    let contract = "{ alice: 1 }
contract:
  join: { emit: [do, { what: enter, room: \"${room}\", n: \"${n}\" }], ack: true }
  leave: { emit: [exit, \"room-${room}\"], ack: true }
  broadcast: { emit: [say, \"${body}\"] }";
    let cases = [
        ("{ event: do, args: [{ what: enter, room: a, n: 7 }] }", vec!["joining a"]),
        ("{ event: do, args: [{ what: enter, room: [a, b], n: 7 }, 1] }", vec!["joining a", "joining b"]),
        ("{ event: do, args: [{ what: look, room: a, n: 7 }] }", vec![]),
        ("{ event: do }", vec![]),
        ("{ event: exit, args: [room-a], ack: true }", vec!["parting a"]),
        ("{ event: exit, args: [a] }", vec![]),
        ("{ event: dance, args: [room-a] }", vec![]),
    ];
    for (emit, rooms) in cases {
        let script = format!("- alice: {{ emit: {emit} }}\n- alice: {{ broadcast: {{ args: [a] }} }}");
        connected_as(contract, &script, |mut play| {
            play.begin(1);
            assert_eq!(play.found.rooms, rooms, "{emit}");
        });
    }
}

#[test]
fn the_audit_knows_a_room_by_its_name_on_the_server() {
    let contract = "{ alice: { count: 1, auth: { team: red } } }
contract:
  join: { emit: [enter, \"${room}\"], to: \"${auth.team}/${room}\" }
  leave: { emit: [exit, \"${room}\"], to: [\"${auth.team}/${room}\", \"${room}.*\"] }
  broadcast: { emit: [say, \"${body}\"], to: \"${room}\" }";
    let cases = [
        ("join: a", vec!["joining red/a"]),
        ("join: [a, \"${n}\"]", vec!["joining red/a", "joining red/0"]),
        ("leave: a", vec!["parting silently red/a", "parting silently a.*"]),
        ("emit: { event: enter, args: [a] }", vec!["joining red/a"]),
    ];
    for (step, rooms) in cases {
        let script = format!("- alice: {{ {step} }}\n- alice: {{ broadcast: {{ to: a, args: [a] }} }}");
        connected_as(contract, &script, |mut play| {
            play.begin(1);
            assert_eq!(play.found.rooms, rooms, "{step}");
        });
    }
}

const QUIET: &str = "{ alice: 1 }
contract:
  join: { emit: [enter, \"${room}\"] }
  leave: { emit: [exit, \"${room}\"] }
  broadcast: { emit: [say, \"${body}\"] }";

/// Plays alice, connected, on an application that acknowledges nothing.
fn unacknowledged(script: &str, test: impl FnOnce(Play<'_>)) {
    connected_as(QUIET, script, test);
}

#[test]
fn an_emit_of_a_leave_that_nobody_answers_is_one_and_the_act_ends_when_the_server_has_read_it() {
    let cases = [
        ("event: exit, args: [a]", vec!["parting silently a"], true),
        ("event: exit, args: [a], ack: true", vec!["parting a"], false),
        ("event: exit, args: [a], response: { event: left }", vec!["parting a"], false),
        ("event: enter, args: [a]", vec!["joining a"], true),
        ("event: dance", vec![], false),
    ];
    for (emit, rooms, is_fenced) in cases {
        let script = format!("- alice: {{ emit: {{ {emit} }} }}\n- alice: {{ broadcast: {{ args: [a] }} }}");
        unacknowledged(&script, |mut play| {
            play.begin(1);
            assert_eq!(play.found.rooms, rooms, "{emit}");
            assert_eq!(play.found.count(Counter::Fences), u64::from(is_fenced), "{emit}");
        });
    }
}

#[test]
fn what_nobody_acknowledges_is_settled_when_it_is_sent_and_many_are_under_way() {
    let script = "- alice: { repeat: { times: 3, every: 40ms, steps: [ { broadcast: { args: [a] } } ] } }";
    unacknowledged(script, |mut play| {
        play.begin(1);
        assert_eq!(play.found.settled, [false]);
        play.pass(79);
        assert_eq!(play.found.settled, [false; 2]);
        let said = play.said();
        assert!(
            said.len() == 2 && said.iter().all(|text| text.starts_with(r#"42["say","a ~sk0"#)),
            "{said:?}"
        );
        assert_eq!((play.found.count(Counter::Sent), play.found.count(Counter::AckAsked)), (2, 0));
        assert_eq!(play.found.count(Counter::Fences), 0);
        assert_eq!(play.found.latency(Metric::Lag), [0, 0]);
    });
}

#[test]
fn an_act_ends_when_the_server_has_read_what_nobody_acknowledges() {
    unacknowledged("- alice: [ { join: lobby }, { broadcast: { args: [a] } } ]", |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.said()[2..], [format!("40{NOWHERE},")]);
        assert_eq!((play.found.count(Counter::Sent), play.found.count(Counter::Fences)), (2, 1));
        assert_eq!(play.hear(&format!(r#"44{NOWHERE},{{"message":"Invalid namespace"}}"#)), Flow::Done);
        assert_eq!(
            (play.found.passed.as_slice(), play.found.failed.len()),
            (&[0][..], 0),
            "only the connect held"
        );
        assert_eq!(play.found.count(Counter::AckAsked), 0);
    });
}

#[test]
fn a_round_trip_behind_a_leave_in_the_same_instant_shows_that_the_leave_was_read() {
    for (steps, is_shown) in
        [("{ leave: lobby }, fence", true), ("fence, { leave: lobby }, { wait: 1s }", false)]
    {
        unacknowledged(&format!("- alice: [ {{ broadcast: {{ args: [a] }} }}, {steps} ]"), |mut play| {
            play.begin(1);
            play.hear(&format!(r#"44{NOWHERE},{{"message":"Invalid namespace"}}"#));
            assert_eq!(play.found.left.is_some_and(|left| left < play.found.read[0]), is_shown, "{steps}");
        });
    }
}

#[test]
fn a_ping_long_after_a_pong_shows_that_a_join_or_a_leave_before_it_was_read() {
    for (steps, shown) in [("{ leave: lobby }", 1), ("{ join: lobby }", 1), ("{ emit: { event: dance } }", 0)]
    {
        unacknowledged(
            &format!("- alice: [ {{ broadcast: {{ args: [a] }} }}, {steps}, {{ wait: 100s }} ]"),
            |mut play| {
                play.begin(1);
                for wait in [5_000, 19_000, 1_000, 25_000] {
                    play.pass(wait);
                    play.hear("2");
                }
                assert_eq!(play.found.read.len(), shown, "{steps}");
                let ponged = play.found.left.map(|left| left + Duration::from_secs(5));
                assert!(ponged.is_none_or(|ponged| play.found.read == [ponged]), "{steps}");
            },
        );
    }
}

#[test]
fn a_round_trip_of_the_scenario_is_the_one_at_the_end_of_the_act_too() {
    unacknowledged("- alice: [ { join: lobby }, fence ]", |mut play| {
        play.begin(1);
        let answer = format!(r#"44{NOWHERE},{{"message":"Invalid namespace"}}"#);
        assert_eq!(play.hear(&answer), Flow::Done);
        assert_eq!(play.found.count(Counter::Fences), 1);
    });
}

#[test]
fn an_act_ends_after_a_while_where_the_server_does_not_answer_its_round_trip() {
    unacknowledged("- alice: { join: lobby }", |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.pass(5_000), Flow::Done);
        assert_eq!(play.found.troubles.len(), 1);
        assert!(play.found.failed.is_empty() && play.found.missed.is_empty());
    });
}

#[test]
fn round_trips_of_our_own_are_in_no_other_count_and_in_no_latency() {
    let script = "- alice: { expect_none: { event: news } }\n- alice: fence";
    connected(script, |mut play| {
        for (act, id) in [(1, 0), (2, 1)] {
            assert_eq!(play.begin(act), Flow::Waiting);
            assert_eq!(play.hear(&format!("43{id}[]")), Flow::Done);
        }
        let counted = |counter| play.found.count(counter);
        assert_eq!(counted(Counter::Fences), 2);
        assert_eq!(
            (counted(Counter::Sent), counted(Counter::AckAsked), counted(Counter::AckReceived)),
            (0, 0, 0)
        );
        for metric in [Metric::Ack, Metric::AckService, Metric::Lag] {
            assert!(play.found.latency(metric).is_empty(), "{metric}");
        }
        assert_eq!(play.found.passed, [0, 1, 2]);
    });
}

#[test]
fn an_acknowledgement_that_was_never_asked_for_is_neither_asked_nor_missed() {
    let steps = "- alice: { disconnect: cut }
                 - alice: { emit: { event: a, ack: true } }
                 - alice: { join: lobby }
                 - alice: { leave: lobby }
                 - alice: { broadcast: { event: said } }
                 - alice: { expect: { event: b, within: 1s, capture: b } }
                 - alice: { emit: { event: a, args: [\"${b}\"], ack: true } }
                 - alice: fence";
    connected(steps, |mut play| {
        (1..=8).for_each(|act| assert_eq!(play.begin(act), Flow::Done));
        assert_eq!(play.found.failed.len(), 7, "{:?}", play.found.failed);
        assert!(play.found.missed.is_empty());
        assert_eq!(play.found.count(Counter::AckAsked), 0);
    });
}
