use std::time::Duration;

use super::*;
use crate::audit::{Fault, Findings, Undecided, UndecidedCounts};
use crate::document::Span;
use crate::measure::{StepInfo, Tally};
use crate::observe::{Cause, Failure, FailureKind, Metric, Observer, StepId, Who};
use crate::protocol::Rule;
use crate::threshold::{Limit, Of, Relation, Subject, samples_needed};
use crate::units::{Rate, Share};

const WHO: Who = Who { group: 0, n: 0, index: 0 };
const MS: Duration = Duration::from_millis(1);

fn threshold(text: &str, subject: Subject, relation: Relation, limit: Limit) -> Threshold {
    Threshold {
        text: text.into(),
        subject,
        of: None,
        answers: None,
        after: None,
        relation,
        limit,
        aborts: false,
        span: Span::default(),
    }
}

fn quantile(text: &str, metric: Metric, quantile: f64, limit: Duration) -> Threshold {
    threshold(text, Subject::Quantile(metric, quantile), Relation::Less, Limit::Latency(limit))
}

/// A run of ten seconds.
fn measured(tally: &Tally) -> Measured<'_> {
    Measured {
        tally,
        parts: &[],
        deliveries: None,
        duration: MS * 10_000,
        whole: MS * 10_000,
        whole_after: &[],
    }
}

fn outcomes(thresholds: &[Threshold], tally: &Tally) -> Vec<Outcome> {
    judge_thresholds(thresholds, &measured(tally)).iter().map(|judged| judged.outcome).collect()
}

fn acks(values: impl IntoIterator<Item = Duration>) -> Tally {
    let mut tally = Tally::new();
    values.into_iter().for_each(|value| tally.latency(Metric::Ack, value));
    tally
}

fn checks(passed: usize, failed: usize) -> Tally {
    let mut tally = Tally::new();
    let failure = Failure {
        expected: "an answer".into(),
        actual: "silence".into(),
        wire: Vec::new(),
        after: None,
        grounds: Default::default(),
    };
    (0..passed).for_each(|_| tally.passed(StepId(0), WHO));
    (0..failed).for_each(|_| tally.failed(StepId(1), WHO, failure.clone()));
    tally
}

fn script_info() -> ScriptInfo {
    let step = |id, words: &str, line| StepInfo {
        id: StepId(id),
        words: words.into(),
        file: "chat.yaml".into(),
        line,
        column: 5,
        source: String::new(),
        groups: vec!["alice".into()],
    };
    ScriptInfo {
        steps: vec![step(0, "connect", 3), step(1, "expect news within 1 s", 7)],
        ..ScriptInfo::default()
    }
}

fn verdict(tally: &Tally, thresholds: &[Threshold]) -> Verdict {
    ended(tally, thresholds, &End::Finished, &[])
}

fn ended(tally: &Tally, thresholds: &[Threshold], end: &End, doubts: &[Doubt]) -> Verdict {
    of(measured(tally), thresholds, end, doubts, 0)
}

fn of(
    measured: Measured<'_>,
    thresholds: &[Threshold],
    end: &End,
    doubts: &[Doubt],
    completed_steps: u64,
) -> Verdict {
    let judged = judge_thresholds(thresholds, &measured);
    judge(&Evidence {
        script_info: &script_info(),
        measured,
        thresholds,
        judged: &judged,
        completed_steps,
        end,
        death: None,
        doubts,
        nodes: &[],
        failed_operations: &[],
        strict_audit: None,
    })
}

/// The same of a run whose server has ended meanwhile.
fn bereaved(tally: &Tally, end: &End, is_failure: bool) -> Verdict {
    let death = Death { sentence: "the server ended with exit code 1 after 2 s".into(), is_failure };
    judge(&Evidence {
        script_info: &script_info(),
        measured: measured(tally),
        thresholds: &[],
        judged: &[],
        completed_steps: 1,
        end,
        death: Some(&death),
        doubts: &[],
        nodes: &[],
        failed_operations: &[],
        strict_audit: None,
    })
}

#[test]
fn that_the_server_died_comes_first_and_fails_a_run_in_which_all_else_went_well() {
    let told = "the server ended with exit code 1 after 2 s";
    let well = bereaved(&checks(3, 0), &End::Finished, true);
    assert_eq!((well.status, well.exit_code, &*well.reason), (Status::Failed, 1, told));
    for (tally, end, is_failure, status) in [
        (checks(3, 1), End::Finished, true, Status::Failed),
        (checks(3, 0), End::Interrupted, true, Status::Interrupted),
        (checks(3, 0), End::Finished, false, Status::Passed),
    ] {
        let verdict = bereaved(&tally, &end, is_failure);
        assert_eq!(verdict.status, status);
        assert!(verdict.reason.starts_with(&format!("{told}; ")), "{}", verdict.reason);
    }
}

#[test]
fn a_run_that_proved_nothing_has_failed() {
    let verdict = verdict(&Tally::new(), &[]);
    assert_eq!((verdict.status, verdict.exit_code), (Status::Failed, 1));
    assert!(verdict.reason.starts_with("nothing was proved"), "{}", verdict.reason);
}

#[test]
fn a_run_that_only_completed_steps_passes_and_says_that_nothing_was_checked() {
    let tally = Tally::new();
    let verdict = of(measured(&tally), &[], &End::Finished, &[], 2);
    assert_eq!((verdict.status, verdict.exit_code), (Status::Passed, 0));
    assert_eq!(verdict.reason, "2 steps completed; nothing was checked");
}

#[test]
fn what_the_server_did_unasked_fails_the_run_unless_a_threshold_allows_it() {
    for failure_kind in [FailureKind::Dropped(Cause::Ended, None), FailureKind::Violation(Rule::Json)] {
        let counter = failure_kind.counter();
        let mut tally = checks(3, 0);
        tally.count(Counter::ConnectOk, 3);
        tally.wronged(WHO, failure_kind, "it did what it may not", "like this", &Vec::new);
        let unasked = verdict(&tally, &[]);
        assert_eq!(unasked.exit_code, 1, "{counter:?}");
        assert!(unasked.reason.contains(counter.name()), "{}", unasked.reason);
        let subject = Subject::Count(Counted::Counter(counter));
        let allowing = threshold("at most 2", subject, Relation::AtMost, Limit::Count(2));
        assert_eq!(verdict(&tally, &[allowing]).exit_code, 0, "{counter:?}");
    }
}

#[test]
fn checks_that_all_held_pass() {
    assert_eq!(verdict(&checks(3, 0), &[]).reason, "all 3 checks held");
    assert_eq!(verdict(&checks(1, 0), &[]).reason, "the check held");
    assert_eq!(verdict(&checks(1, 0), &[]).exit_code, 0);
}

#[test]
fn one_failed_check_fails_the_run_and_is_named_with_its_place() {
    let verdict = verdict(&checks(1200, 1), &[]);
    assert_eq!(verdict.exit_code, 1);
    assert_eq!(verdict.reason, "1 of 1,201 checks failed, first in chat.yaml:7: expect news within 1 s");
}

#[test]
fn a_threshold_is_met_just_below_its_limit_and_missed_at_it() {
    let threshold = [quantile("ack p50 < 10 ms", Metric::Ack, 0.5, MS * 10)];
    let below = acks((0..100).map(|_| MS * 9));
    let at = acks((0..100).map(|_| MS * 10));
    assert_eq!(verdict(&below, &threshold).reason, "the threshold was met");
    let missed = verdict(&at, &threshold);
    assert_eq!((missed.status, missed.exit_code), (Status::Failed, 1));
    assert_eq!(missed.reason, "the threshold was not met (ack p50 < 10 ms: 10.0 ms)");
}

#[test]
fn a_threshold_without_a_sample_is_missed() {
    let threshold = [quantile("delivery p99 < 10 s", Metric::Delivery, 0.99, MS * 10_000)];
    let verdict = verdict(&checks(5, 0), &threshold);
    assert_eq!(verdict.exit_code, 1);
    assert_eq!(verdict.reason, "the threshold was not met (delivery p99 < 10 s: no data)");
}

#[test]
fn a_percentile_asks_for_ten_samples_beyond_it_or_for_three_if_none_is_beyond_the_limit() {
    let needed =
        |none_beyond| [0.5, 0.9, 0.95, 0.99, 0.999].map(|quantile| samples_needed(quantile, none_beyond));
    assert_eq!(needed(false), [20, 100, 200, 1_000, 10_000]);
    assert_eq!(needed(true), [6, 30, 60, 300, 3_000]);
}

#[test]
fn a_percentile_of_too_few_samples_is_no_verdict() {
    let threshold = [quantile("ack p99 < 10 ms", Metric::Ack, 0.99, MS * 10)];
    let few = verdict(&acks((0..299).map(|_| MS)), &threshold);
    assert_eq!((few.status, few.exit_code), (Status::Invalid, 4));
    assert_eq!(
        few.reason,
        "ack p99 < 10 ms: too few samples for this percentile, 299 of 300 needed; run longer or with more clients"
    );
    assert_eq!(verdict(&acks((0..300).map(|_| MS)), &threshold).exit_code, 0);
}

#[test]
fn one_sample_beyond_the_limit_asks_for_more_of_them() {
    let threshold = [quantile("ack p99 < 10 ms", Metric::Ack, 0.99, MS * 10)];
    let one_slow = |count| acks((0..count).map(|n| if n == 0 { MS * 500 } else { MS }));
    assert_eq!(verdict(&one_slow(999), &threshold).exit_code, 4);
    assert_eq!(verdict(&one_slow(1000), &threshold).exit_code, 0);
}

#[test]
fn ten_samples_beyond_the_limit_settle_a_percentile_however_few_there_are() {
    let threshold = [quantile("ack p99 < 10 ms", Metric::Ack, 0.99, MS * 10)];
    let slow = |beyond: u32| acks((0..40).map(move |n| if n < beyond { MS * 500 } else { MS }));
    assert_eq!(verdict(&slow(9), &threshold).exit_code, 4);
    assert_eq!(verdict(&slow(10), &threshold).exit_code, 1);
}

#[test]
fn a_percentile_beyond_the_histogram_meets_no_upper_limit() {
    let threshold = [quantile("ack p50 < 1 h", Metric::Ack, 0.5, MS * 3_600_000)];
    let verdict = verdict(&acks((0..100).map(|_| MS * 121_000)), &threshold);
    assert_eq!(verdict.exit_code, 1);
    assert_eq!(verdict.reason, "the threshold was not met (ack p50 < 1 h: more than 2 min)");
}

#[test]
fn mean_least_and_greatest_are_judged_from_one_sample_on() {
    let tally = acks([MS * 2, MS * 4]);
    for (subject, value) in
        [(Subject::Mean(Metric::Ack), 3), (Subject::Min(Metric::Ack), 2), (Subject::Max(Metric::Ack), 4)]
    {
        let at = |relation, limit| {
            outcomes(&[threshold("", subject, relation, Limit::Latency(MS * limit))], &tally)[0]
        };
        assert_eq!(at(Relation::AtMost, value), Outcome::Met, "{subject:?}");
        assert_eq!(at(Relation::Less, value), Outcome::Missed, "{subject:?}");
        assert_eq!(at(Relation::Greater, value - 1), Outcome::Met, "{subject:?}");
    }
}

#[test]
fn a_share_is_of_what_could_have_happened() {
    let subject = Subject::Share(Counted::Counter(Counter::ConnectFailed));
    let below = |limit| threshold("connect failed", subject, Relation::Less, Limit::Share(Share(limit)));
    let mut tally = Tally::new();
    assert_eq!(outcomes(&[below(0.5)], &tally), [Outcome::NoData]);
    tally.count(Counter::ConnectAsked, 1000);
    tally.count(Counter::ConnectFailed, 10);
    assert_eq!(outcomes(&[below(0.02), below(0.01)], &tally), [Outcome::Met, Outcome::Missed]);
    let judged = &judge_thresholds(&[below(0.02)], &measured(&tally))[0];
    assert_eq!((judged.value, judged.samples), (Some(Amount::Share(0.01)), 1000));
}

#[test]
fn a_rate_is_over_the_whole_run() {
    let subject = Subject::Rate(Counted::Counter(Counter::Sent));
    let limit = Limit::Rate(Rate { per_second: 100.0 });
    let at_least = threshold("sent rate >= 100/s", subject, Relation::AtLeast, limit);
    let mut tally = Tally::new();
    tally.count(Counter::ConnectOk, 1);
    tally.count(Counter::Sent, 999);
    assert_eq!(outcomes(std::slice::from_ref(&at_least), &tally), [Outcome::Missed]);
    tally.count(Counter::Sent, 1);
    assert_eq!(outcomes(std::slice::from_ref(&at_least), &tally), [Outcome::Met]);
    let at_once = Measured { duration: Duration::ZERO, whole: Duration::ZERO, ..measured(&tally) };
    assert_eq!(judge_thresholds(&[at_least], &at_once)[0].outcome, Outcome::NoData);
}

#[test]
fn the_number_of_values_is_known_to_be_none_only_if_somebody_was_there() {
    let none =
        threshold("delivery count", Subject::Samples(Metric::Delivery), Relation::AtMost, Limit::Count(0));
    let mut tally = Tally::new();
    assert_eq!(outcomes(std::slice::from_ref(&none), &tally), [Outcome::NoData]);
    tally.count(Counter::ConnectOk, 1);
    assert_eq!(outcomes(std::slice::from_ref(&none), &tally), [Outcome::Met]);
    tally.latency(Metric::Delivery, MS);
    assert_eq!(outcomes(&[none], &tally), [Outcome::Missed]);
}

fn none_failed() -> Threshold {
    let subject = Subject::Count(Counted::Counter(Counter::ConnectFailed));
    threshold("connect failed == 0", subject, Relation::Equal, Limit::Count(0))
}

#[test]
fn no_failed_connect_among_no_connects_is_no_data() {
    let mut tally = checks(1, 0);
    assert_eq!(verdict(&tally, &[none_failed()]).exit_code, 1);
    tally.count(Counter::ConnectAsked, 1);
    assert_eq!(verdict(&tally, &[none_failed()]).exit_code, 0);
}

fn refuse_one(tally: &mut Tally) {
    let failure = Failure {
        expected: "a connection".into(),
        actual: "refused".into(),
        wire: Vec::new(),
        after: None,
        grounds: Default::default(),
    };
    tally.missed(StepId(0), WHO, FailureKind::Connect(Cause::Refused), failure);
}

fn one_connect_of_three_failed() -> Tally {
    let mut tally = checks(5, 0);
    tally.count(Counter::ConnectAsked, 3);
    tally.count(Counter::ConnectOk, 2);
    refuse_one(&mut tally);
    tally
}

#[test]
fn what_came_to_nothing_fails_the_run_if_no_threshold_is_about_it() {
    let tally = one_connect_of_three_failed();
    let about_something_else = quantile("ack p50 < 1 s", Metric::Ack, 0.5, MS);
    for thresholds in [vec![], vec![about_something_else]] {
        let verdict = verdict(&tally, &thresholds);
        assert_eq!(verdict.exit_code, 1);
        let told = "connect failed: 1 of 3, and no threshold allows any";
        assert!(verdict.reason.starts_with(told), "{}", verdict.reason);
    }
}

#[test]
fn that_no_client_could_connect_is_told_before_what_follows_from_it() {
    let mut tally = checks(0, 2);
    tally.count(Counter::ConnectAsked, 1);
    refuse_one(&mut tally);
    let reason = |tally: &Tally| verdict(tally, &[none_failed()]).reason;
    let told = "no client could connect (refused with CONNECT_ERROR); 2 of 2 checks failed";
    assert!(reason(&tally).starts_with(told), "{}", reason(&tally));
    tally.count(Counter::ConnectOk, 1);
    assert!(reason(&tally).starts_with("2 of 2 checks failed"), "{}", reason(&tally));
}

#[test]
fn a_threshold_about_it_decides_how_much_may_come_to_nothing() {
    let tally = one_connect_of_three_failed();
    let share = |counter, relation, limit| {
        threshold("", Subject::Share(Counted::Counter(counter)), relation, Limit::Share(Share(limit)))
    };
    assert_eq!(verdict(&tally, &[share(Counter::ConnectFailed, Relation::Less, 0.5)]).exit_code, 0);
    assert_eq!(verdict(&tally, &[share(Counter::ConnectFailed, Relation::Less, 0.1)]).exit_code, 1);
    assert_eq!(verdict(&tally, &[share(Counter::ConnectOk, Relation::AtLeast, 0.5)]).exit_code, 0);
    assert_eq!(verdict(&tally, &[none_failed()]).exit_code, 1);
}

#[test]
fn a_fault_of_the_deliveries_fails_the_run_if_no_threshold_is_about_it() {
    let tally = checks(1, 0);
    let mut deliveries = Findings { expected: 100, forbidden: 50, ..Findings::default() };
    deliveries.faults[Fault::Leaked as usize] = 2;
    let measured = Measured { deliveries: Some(&deliveries), ..measured(&tally) };
    let verdict = |thresholds: &[Threshold]| of(measured, thresholds, &End::Finished, &[], 0);
    assert_eq!(verdict(&[]).reason, "delivery leaked: 2 of 50, and no threshold allows any");
    let about = |fault, limit| {
        threshold("", Subject::Count(Counted::Fault(fault)), Relation::AtMost, Limit::Count(limit))
    };
    assert_eq!(verdict(&[about(Fault::Missing, 0)]).exit_code, 1);
    assert_eq!(verdict(&[about(Fault::Leaked, 2)]).exit_code, 0);
    assert_eq!(verdict(&[about(Fault::Leaked, 1)]).exit_code, 1);
}

#[test]
fn nothing_missing_in_a_run_without_an_audit_is_no_data() {
    let missing = Subject::Count(Counted::Fault(Fault::Missing));
    let none = threshold("delivery missing == 0", missing, Relation::Equal, Limit::Count(0));
    assert_eq!(outcomes(std::slice::from_ref(&none), &checks(1, 0)), [Outcome::NoData]);
    let tally = Tally::new();
    let proved_nothing = Findings::default();
    let measured = Measured { deliveries: Some(&proved_nothing), ..measured(&tally) };
    assert_eq!(judge_thresholds(&[none], &measured)[0].outcome, Outcome::NoData);
}

#[test]
fn an_invalid_measurement_comes_before_failed_checks_and_tells_both() {
    let words = "the generator was busy for 97 % of the time; use fewer clients".to_owned();
    let doubts = [Doubt { kind: DoubtKind::GeneratorBusy, words, weight: Weight::Grave }];
    let verdict = ended(&checks(0, 2), &[], &End::Finished, &doubts);
    assert_eq!((verdict.status, verdict.exit_code), (Status::Invalid, 4));
    assert!(verdict.reason.starts_with("the generator was busy"), "{}", verdict.reason);
    assert!(verdict.reason.contains("; 2 of 2 checks failed"), "{}", verdict.reason);
}

#[test]
fn failed_checks_come_before_a_percentile_of_too_few_samples() {
    let threshold = [quantile("ack p99 < 10 ms", Metric::Ack, 0.99, MS * 10)];
    let mut tally = checks(0, 1);
    tally.latency(Metric::Ack, MS);
    assert_eq!(verdict(&tally, &threshold).exit_code, 1);
}

#[test]
fn an_interrupted_run_tells_how_far_it_came() {
    let verdict = ended(&checks(2, 1), &[], &End::Interrupted, &[]);
    assert_eq!((verdict.status, verdict.exit_code), (Status::Interrupted, 130));
    assert_eq!(
        verdict.reason,
        "until then 2 checks held and 1 failed, first in chat.yaml:7: expect news within 1 s"
    );
}

#[test]
fn an_unreachable_target_says_what_was_seen() {
    let verdict = ended(&Tally::new(), &[], &End::Unreachable("nothing listens on port 1".into()), &[]);
    assert_eq!((verdict.status, verdict.exit_code), (Status::Unreachable, 3));
    assert_eq!(verdict.reason, "nothing listens on port 1");
}

#[test]
fn several_missed_thresholds_are_counted_and_the_first_is_shown() {
    let thresholds = [
        quantile("ack p50 < 1 s", Metric::Ack, 0.5, MS * 1000),
        quantile("ack p90 < 1 ms", Metric::Ack, 0.9, MS),
        quantile("delivery p50 < 1 ms", Metric::Delivery, 0.5, MS),
    ];
    let verdict = verdict(&acks((0..100).map(|_| MS * 5)), &thresholds);
    assert_eq!(verdict.reason, "2 of 3 thresholds not met (ack p90 < 1 ms: 5.00 ms)");
}

#[test]
fn failed_checks_are_for_the_threshold_on_them_if_it_is_about_all_clients() {
    let share = |of: Option<Of>, limit| Threshold {
        of,
        ..threshold(
            "checks failed < 10 %",
            Subject::Share(Counted::Counter(Counter::ChecksFailed)),
            Relation::Less,
            Limit::Share(Share(limit)),
        )
    };
    let tally = checks(95, 5);
    let allowed = verdict(&tally, &[share(None, 0.1)]);
    assert_eq!(allowed.status, Status::Passed);
    assert_eq!(allowed.reason, "5 of 100 checks failed, which a threshold allows; the threshold was met");
    let missed = verdict(&tally, &[share(None, 0.01)]);
    assert_eq!(missed.status, Status::Failed);
    assert_eq!(missed.reason, "the threshold was not met (checks failed < 10 %: 5 %)");
    // What happens elsewhere than under a label is not for the threshold on the label.
    let login = Some(Of { name: "login".into(), part: 0 });
    let parts = [tally.figures().clone()];
    let elsewhere =
        of(Measured { parts: &parts, ..measured(&tally) }, &[share(login, 0.1)], &End::Finished, &[], 0);
    assert_eq!(elsewhere.reason, "5 of 100 checks failed, first in chat.yaml:7: expect news within 1 s");
}

#[test]
fn what_a_threshold_on_a_part_decided_about_is_not_held_against_the_run() {
    let mut tally = checks(95, 5);
    (0..4).for_each(|_| tally.allow_failed(StepId(1)));
    assert_eq!(
        verdict(&tally, &[]).reason,
        "1 of 100 checks failed, first in chat.yaml:7: expect news within 1 s"
    );
    tally.allow_failed(StepId(1));
    assert_eq!(verdict(&tally, &[]).status, Status::Passed);
}

#[test]
fn answers_of_some_kind_are_a_number_or_a_share_of_all_and_without_answers_there_is_no_data() {
    let asks =
        |limit| threshold("ack where [] < 1", Subject::Matching(Metric::Ack, 1), Relation::Less, limit);
    let mut tally = Tally::new();
    let judged = |tally: &Tally, limit| judge_thresholds(&[asks(limit)], &measured(tally)).remove(0);
    assert_eq!(judged(&tally, Limit::Count(1)).outcome, Outcome::NoData);
    (0..20).for_each(|number| tally.answer(1, number == 0));
    let few = judged(&tally, Limit::Share(Share(0.06)));
    assert_eq!((few.value, few.outcome, few.samples), (Some(Amount::Share(0.05)), Outcome::Met, 20));
    assert_eq!(judged(&tally, Limit::Share(Share(0.05))).outcome, Outcome::Missed);
    assert_eq!(judged(&tally, Limit::Count(1)).outcome, Outcome::Missed);
}

#[test]
fn an_audit_that_judged_less_than_is_asked_for_fails_the_run() {
    let judged = |expected: u64, cut: u64, least: f64| {
        let mut undecided = UndecidedCounts::default();
        undecided.add(Undecided::ReceiverLost, cut);
        let findings = Findings { messages: 1, expected, undecided, ..Findings::default() };
        let tally = checks(3, 0);
        let measured = Measured { deliveries: Some(&findings), ..measured(&tally) };
        judge(&Evidence {
            script_info: &script_info(),
            measured,
            thresholds: &[],
            judged: &[],
            completed_steps: 1,
            end: &End::Finished,
            death: None,
            doubts: &[],
            nodes: &[],
            failed_operations: &[],
            strict_audit: Some(least),
        })
    };
    assert_eq!(judged(90, 10, 0.9).status, Status::Passed);
    let few = judged(80, 20, 0.9);
    assert_eq!((few.status, few.exit_code), (Status::Failed, 1));
    assert!(
        few.reason
            .contains("`--strict-audit` asks the audit to judge 90 % of the deliveries: 80 % of 100 pairs"),
        "{}",
        few.reason
    );
    assert!(few.reason.contains("mostly because the receiver's connection"), "{}", few.reason);
    assert!(judged(0, 0, 0.9).reason.ends_with("deliveries: no client had to receive the message"));
}

#[test]
fn a_run_in_which_the_server_refused_all_messages_is_judged() {
    for (refused, is_judged) in [(4, true), (3, false)] {
        let findings = Findings { messages: 4, refused, ..Findings::default() };
        let tally = checks(3, 0);
        let measured = Measured { deliveries: Some(&findings), ..measured(&tally) };
        let verdict = of(measured, &[], &End::Finished, &[], 1);
        assert_eq!(verdict.reason == "all 3 checks held", is_judged, "{}", verdict.reason);
    }
}

#[test]
fn a_run_that_passed_says_that_its_deliveries_were_not_judged() {
    let judged = |messages: u64, expected: u64, cut: u64| {
        let mut undecided = UndecidedCounts::default();
        undecided.add(Undecided::ReceiverLost, cut);
        let findings = Findings { messages, expected, undecided, ..Findings::default() };
        let tally = checks(3, 0);
        let measured = Measured { deliveries: Some(&findings), ..measured(&tally) };
        of(measured, &[], &End::Finished, &[], 1)
    };
    let thin = judged(1, 12, 88);
    assert_eq!((thin.status, thin.exit_code), (Status::Passed, 0));
    assert_eq!(thin.reason, "all 3 checks held, but deliveries were not judged: 12 % of 100 pairs decided");
    assert_eq!(judged(1, 50, 50).reason, "all 3 checks held");
    assert!(judged(0, 0, 0).reason.ends_with("not judged: no message was audited"));
}
