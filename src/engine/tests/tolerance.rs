//! What a worker counts where thresholds allow that something goes wrong, and where they ask about the arguments of answers.

use std::time::Duration;

use super::harness::{Played, over_network};
use super::server::Server;
use crate::measure::Answers;
use crate::observe::{Counter, StepId};

/// The server acknowledges with no arguments, so that a check of them fails.
fn played(thresholds: &str, test: impl FnOnce(Played)) {
    let fails = "emit: { event: a, ack: { args: [wrong] } }";
    let script = format!(
        "  - all: connect\n  - all: [ {{ {fails}, label: login }}, {{ {fails} }}, {{ emit: {{ event: a, ack: true }}, label: login }} ]"
    );
    let text = format!(
        "name: a test\nclients: {{ some: 3, others: 2 }}\nscript:\n{script}\nthresholds: [ {thresholds} ]\n"
    );
    let mut server = Server::new(|_| Duration::from_millis(10));
    over_network(
        &text,
        move |at, number, heard| server.react(at, number, heard),
        |mut harness| {
            harness.play_out();
            test(harness.close());
        },
    );
}

#[test]
fn a_failed_check_is_for_the_threshold_that_is_about_its_label_or_its_group_and_no_other() {
    for (thresholds, unallowed, allowed) in [
        ("checks made > 1", 10, [0, 0]),
        ("checks failed of login < 60 %", 5, [5, 0]),
        ("checks failed of others < 90 %", 6, [2, 2]),
        ("checks failed of login < 60 %, checks failed of others < 90 %", 3, [5, 2]),
        ("ack missed of login < 60 %", 10, [0, 0]),
    ] {
        played(thresholds, |played| {
            let tally = played.counted();
            assert_eq!(
                (tally.failed_checks(), tally.counter(Counter::ChecksFailed)),
                (10, 10),
                "{thresholds}"
            );
            assert_eq!(tally.counter(Counter::ChecksMade), 20, "{thresholds}");
            assert_eq!(tally.misses(Counter::ChecksFailed), unallowed, "{thresholds}");
            let of = |step: u32| tally.step(StepId(step)).map_or(0, |step| step.allowed);
            assert_eq!([of(1), of(2)], allowed, "{thresholds}");
        });
    }
}

#[test]
fn answers_are_counted_by_their_arguments_for_each_threshold_that_asks() {
    let thresholds = "\"ack of login where [] < 90 %\", \"ack where [{ $any: true }] < 5\", \"ack of others where [] > 1\"";
    played(thresholds, |played| {
        let tally = played.counted();
        let answers = |number| tally.figures().answers(number);
        assert_eq!(answers(0), Answers { all: 10, fitting: 10 });
        assert_eq!(answers(1), Answers { all: 15, fitting: 0 });
        assert_eq!(answers(2), Answers { all: 6, fitting: 6 });
        assert_eq!(answers(3), Answers::default());
    });
}
