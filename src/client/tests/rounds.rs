//! What `${i}` stands for: the round of the innermost `repeat`, or the number of the event where `expect` says `times`.

use super::stage::connected;

#[test]
fn the_round_is_the_same_number_in_every_step_of_a_repeat() {
    let script = "- alice: { repeat: { times: 3, steps: [ { emit: { event: a, args: [\"${i}\"] } }, \
                  { expect: { event: b, args: [\"${i}\"] } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        for round in 0..3 {
            assert_eq!(play.said(), [format!(r#"42["a",{round}]"#)]);
            play.hear(&format!(r#"42["b",{round}]"#));
        }
        assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
        assert_eq!(play.found.passed.len(), 1 + 3, "the connect and the rounds");
    });
}

#[test]
fn where_times_is_written_it_counts_the_events_instead() {
    for (times, events) in [(1, vec![0]), (2, vec![0, 1])] {
        let script = format!(
            "- alice: {{ repeat: {{ times: 2, steps: [ {{ expect: {{ event: b, args: [\"${{i}}\"], times: {times} }} }} ] }} }}"
        );
        connected(&script, |mut play| {
            play.begin(1);
            events.iter().chain(&events).for_each(|event| {
                play.hear(&format!(r#"42["b",{event}]"#));
            });
            assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
            assert_eq!(play.found.passed.len(), 1 + 2, "the connect and the rounds");
        });
    }
}

#[test]
fn what_must_not_come_in_a_round_is_that_of_the_round() {
    let script =
        "- alice: { repeat: { times: 2, steps: [ { expect_none: { event: b, args: [\"${i}\"] } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        play.hear(r#"42["b",1]"#);
        play.hear("430[]");
        assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
        play.hear("431[]");
        assert_eq!(play.found.failed.len(), 1);
    });
}

#[test]
fn an_answer_tells_the_round_in_which_it_was_promised() {
    let script = "- alice: { repeat: { times: 2, steps: [ { answer: { event: q, args: [\"${i}\"] } } ] } }\n\
                  - alice: { repeat: { times: 9, every: 1s, steps: [ { emit: { event: a } } ] } }";
    connected(script, |mut play| {
        play.begin(1);
        play.begin(2);
        play.pass(5_000);
        play.said();
        play.hear(r#"420["q"]"#);
        assert_eq!(play.said(), [r#"430[1]"#]);
    });
}
