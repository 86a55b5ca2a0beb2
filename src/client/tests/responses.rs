//! Events that answer events: which belongs to which, how long each took, and what is told where none comes.

use super::stage::{Play, connected};
use super::*;

const ASK: &str = "- alice: { repeat: { times: 3, every: 10s, steps: [ { emit: { event: ask, args: [\"${i}\"], \
                   response: { event: answer, args: [\"${i}\"], within: 2s } } } ] } }";
/// The same where nothing in the answers tells them apart.
const ALIKE: &str = "- alice: { repeat: { times: 4, every: 1s, steps: [ { emit: { event: ask, \
                     response: { event: answer, within: 1500ms } } } ] } }";

fn missed<'a>(play: &'a Play<'_>) -> Vec<&'a str> {
    play.found
        .missed
        .iter()
        .map(|(kind, why)| {
            assert_eq!(*kind, FailureKind::Response);
            why.as_str()
        })
        .collect()
}

#[test]
fn an_answer_is_timed_from_when_the_question_was_due_and_from_when_it_was_sent() {
    connected(ASK, |mut play| {
        play.begin(1);
        assert_eq!(play.said(), [r#"42["ask",0]"#]);
        play.pass(30);
        play.hear(r#"42["answer",0]"#);
        // The next is late, so that both times differ.
        play.now += std::time::Duration::from_millis(9_990);
        play.call(Client::handle_timeout);
        play.pass(5);
        play.hear(r#"42["answer",1]"#);
        assert_eq!(play.found.latency(Metric::Response), [30, 25]);
        assert_eq!(play.found.latency(Metric::ResponseService), [30, 5]);
        let counts = [Counter::ResponseAsked, Counter::ResponseReceived, Counter::AckAsked];
        assert_eq!(counts.map(|counter| play.found.count(counter)), [2, 2, 0]);
        assert_eq!(play.found.passed.len(), 1 + 2, "the connect and the answers");
    });
}

#[test]
fn what_came_before_the_question_and_what_does_not_fit_is_no_answer() {
    connected(ASK, |mut play| {
        play.hear(r#"42["answer",0]"#);
        play.begin(1);
        play.hear(r#"42["answer",7]"#);
        play.hear(r#"42["other",0]"#);
        play.hear(r#"42/elsewhere,["answer",0]"#);
        play.pass(2_000);
        let [why] = missed(&play)[..] else { panic!("{:?}", play.found.missed) };
        assert!(why.starts_with(r#"it did not come within 2s; nearest: ["answer",7]: "#), "{why}");
        assert_eq!((play.found.latency(Metric::Response), play.found.failed.len()), (vec![], 0));
        assert_eq!(play.found.count(Counter::ResponseAsked), 1);
    });
}

#[test]
fn answers_that_differ_are_told_apart_however_late_one_is() {
    connected(ASK, |mut play| {
        play.begin(1);
        play.pass(10_000);
        assert_eq!(missed(&play).len(), 1);
        play.pass(5);
        play.hear(r#"42["answer",0]"#);
        assert_eq!(play.found.latency(Metric::Response), []);
        play.pass(5);
        play.hear(r#"42["answer",1]"#);
        assert_eq!(play.found.latency(Metric::Response), [10]);
        assert!(play.found.troubles.is_empty(), "{:?}", play.found.troubles);
    });
}

#[test]
fn an_answer_that_may_be_the_late_one_to_an_earlier_question_is_counted_and_not_timed() {
    connected(ALIKE, |mut play| {
        play.begin(1);
        play.pass(1_600);
        assert_eq!(missed(&play).len(), 1, "the second question is under way");
        play.hear(r#"42["answer"]"#);
        assert_eq!(
            (play.found.latency(Metric::Response), play.found.count(Counter::ResponseReceived)),
            (vec![], 1)
        );
        let cause = &play.found.troubles[0].0;
        assert!(cause.contains("was not timed"), "{cause}");
        // The answer to the second comes while nobody waits: from here on they are in step again.
        play.hear(r#"42["answer"]"#);
        play.pass(400);
        play.pass(20);
        play.hear(r#"42["answer"]"#);
        assert_eq!(play.found.latency(Metric::Response), [20]);
    });
}

#[test]
fn a_connection_that_is_gone_owes_nothing() {
    connected(
        "- alice: { emit: { event: ask, response: { event: answer, within: 1s } } }\n- alice: connect",
        |mut play| {
            play.begin(1);
            play.call(|client, io| client.handle_lost(io, Channel::WebSocket, Lost::Ended));
            let [why] = missed(&play)[..] else { panic!("{:?}", play.found.missed) };
            assert!(why.starts_with("the connection ended"), "{why}");
            // Nothing can be asked either: that is a failed check, and no question.
            play.begin(1);
            assert_eq!((missed(&play).len(), play.found.count(Counter::ResponseAsked)), (1, 1));
            assert_eq!(play.found.failed.len(), 1);
        },
    );
}

#[test]
fn acknowledgement_and_answer_are_both_awaited_in_either_order_and_what_is_captured_is_kept() {
    let script = "- alice: { emit: { event: ask, ack: true, response: { event: answer, capture: said } } }\n\
                  - alice: { emit: { event: told, args: [\"${said}\"] } }";
    for frames in [["430[]", r#"42["answer",5]"#], [r#"42["answer",5]"#, "430[]"]] {
        connected(script, |mut play| {
            play.begin(1);
            assert_eq!(play.hear(frames[0]), Flow::Waiting);
            assert_eq!(play.hear(frames[1]), Flow::Done);
            play.said();
            play.begin(2);
            assert_eq!(play.said(), [r#"42["told",5]"#]);
            assert_eq!(
                (play.found.latency(Metric::Ack).len(), play.found.latency(Metric::Response).len()),
                (1, 1)
            );
        });
    }
}

#[test]
fn an_answer_is_taken_and_no_later_expect_finds_it() {
    let script = "- alice: { emit: { event: ask, response: { event: answer } } }\n\
                  - alice: { expect: { event: answer, within: 1s } }";
    connected(script, |mut play| {
        play.begin(1);
        play.hear(r#"42["answer"]"#);
        play.begin(2);
        play.pass(1_000);
        assert_eq!(play.found.failed.len(), 1);
    });
}

#[test]
fn an_event_with_a_stamp_is_settled_for_the_audit_if_the_step_says_whom_it_reaches() {
    let tells = "tells: { event: news, to: lobby }";
    let ways = [
        (format!("emit: {{ event: post, args: [\"${{stamp}}\"], ack: true, {tells} }}"), "430[]", vec![true]),
        (format!("emit: {{ event: post, args: [\"${{stamp}}\"], {tells} }}"), "", vec![false]),
        ("emit: { event: post, args: [\"${stamp}\"] }".to_owned(), "", vec![]),
    ];
    for (step, answer, settled) in ways {
        // The last step is audited, so that there is an audit.
        let script = format!("- alice: {{ {step} }}\n- alice: {{ broadcast: {{ event: said }} }}");
        connected(&script, |mut play| {
            play.begin(1);
            let said = play.said().concat();
            assert!(said.contains("~sk") && !said.contains("----"), "{said}");
            if !answer.is_empty() {
                assert!(play.found.settled.is_empty());
                play.hear(answer);
            }
            assert_eq!(play.found.settled, settled, "{step}");
        });
    }
}

#[test]
fn an_event_that_the_server_refuses_is_for_nobody_and_one_that_it_only_answers_otherwise_may_be() {
    let ways = [
        ("true", r#"430[{"error":"too low"}]"#, [true], [false]),
        ("{ args: [ok] }", r#"430[{"error":"too low"}]"#, [true], [false]),
        ("{ args: [{ error: too low }] }", r#"430[{"error":"too low"}]"#, [false], [true]),
        ("{ args: [ok] }", r#"430["fine"]"#, [false], [false]),
    ];
    for (ack, answer, turned_down, settled) in ways {
        let event = format!("event: post, args: [\"${{stamp}}\"], ack: {ack}, tells: {{ event: news }}");
        let script =
            format!("- alice: {{ emit: {{ {event} }} }}\n- alice: {{ broadcast: {{ event: said }} }}");
        connected(&script, |mut play| {
            play.begin(1);
            play.hear(answer);
            let found = (&play.found.turned_down[..], &play.found.settled[..]);
            assert_eq!(found, (&turned_down[..], &settled[..]), "{ack} {answer}");
        });
    }
}

#[test]
fn a_request_with_a_stamp_is_settled_by_its_response_and_leaves_the_client_to_be_judged() {
    let script = "- alice: { http: { post: /api/messages, body: { text: \"hello ${stamp}\" }, tells: { event: news, to: lobby } } }";
    for (status, is_handled) in [(200, true), (500, false)] {
        connected(script, |mut play| {
            play.begin(1);
            assert!(!play.client.actor.by_hand);
            assert!(play.found.settled.is_empty());
            let head = Head { status, reason: String::new(), headers: Vec::new() };
            let response = Response { head, body: Vec::new(), keep_alive: true };
            play.call(|client, io| client.handle_response(io, Channel::Aside(0), &response));
            assert_eq!(play.found.settled, [is_handled]);
        });
    }
}
