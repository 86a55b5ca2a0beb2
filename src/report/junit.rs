//! Results as JUnit XML, for those who collect the results of tests: a suite for each scenario, a test for each step
//! that was checked, for each threshold and for the audit.
//!
//! What JUnit has no word for is an error: a measurement that is not valid, a server that was not there. An operation that
//! did not succeed, and a check whose failures a threshold decides about, passes, with its report in the output of the test: thresholds or the run as a whole judge it.

use std::time::Duration;

use super::RunResult;
use super::block::{Block, Detail};
use super::junit_xml::{Outcome, Reason, Suite, Test, to_xml};
use super::render::{Look, terminal_blocks};
use super::result::{CheckResult, DeliveriesResult, OutcomeResult, ThresholdResult};
use super::run::{failed, target_in_words, text_of_run};
use crate::audit::Fault;
use crate::measure::format::count;
use crate::verdict::Status;

/// How wide the reports inside the file are.
pub(crate) const LOOK: Look = Look { width: 120, colour: false };

/// The content of a JUnit file.
pub fn to_junit(results: &[RunResult]) -> String {
    to_xml("sockrates run", &results.iter().map(suite).collect::<Vec<_>>())
}

/// Why a test did not pass: in a line, of which kind, and in full.
pub(crate) fn reason(message: impl Into<String>, of: &'static str, full: String) -> Reason {
    Reason { message: message.into(), of: Some(of), full: Some(full) }
}

fn suite(result: &RunResult) -> Suite {
    let name = &result.scenario.name;
    let tests =
        result.checks.iter().map(step).chain(result.thresholds.iter().map(|one| threshold(result, one)));
    let audit = result.deliveries.as_ref().map(|found| audit(result, found));
    let mut tests: Vec<Test> = tests.chain(audit).collect();
    let is_told = tests.iter().any(Test::is_wrong);
    match result.verdict.status {
        Status::Passed => {}
        Status::Failed if is_told => {}
        _ => tests.push(whole(result)),
    }
    tests.iter_mut().for_each(|test| test.class.clone_from(name));
    Suite {
        name: name.clone(),
        time: Some(Duration::from_micros(result.duration_us)),
        properties: vec![
            ("file", result.scenario.file.clone()),
            ("target", target_in_words(&result.target)),
            ("seed", result.scenario.seed.to_string()),
            ("started", result.started.clone()),
        ],
        tests,
    }
}

/// A step. Operations that did not succeed are judged by thresholds, or by the run as a whole; so are failed checks that a
/// threshold is about.
fn step(check: &CheckResult) -> Test {
    let place =
        if check.file.is_empty() { String::new() } else { format!(" ({}:{})", check.file, check.line) };
    let name = format!("{}{place}", check.step);
    let full = terminal_blocks(&[Block::Finding(failed(check))], LOOK, Detail::Usual);
    if check.failed > check.allowed {
        let first = check.failures.first();
        let message = first.map(|first| format!("expected {}, saw {}", first.expected, first.actual));
        let message = message.unwrap_or_else(|| format!("{} checks failed", count(check.failed)));
        return Test::new(name, Outcome::Failed(reason(message, "check", full)));
    }
    let output = (check.missed + check.failed > 0).then_some(full);
    Test { output, ..Test::new(name, Outcome::Passed) }
}

fn threshold(result: &RunResult, threshold: &ThresholdResult) -> Test {
    if let (Some(why), Some(found)) = (result.not_judged_by(threshold), &result.deliveries) {
        return Test::new(&threshold.text, not_judged(found, &why));
    }
    let message = match threshold.outcome {
        OutcomeResult::TooFew => {
            format!("too few samples: {} of {}", count(threshold.samples), count(threshold.samples_needed))
        }
        _ => format!("{}, and the limit is {}", threshold.value_text, threshold.limit_text),
    };
    let full = format!("line {}: {}\n{message}", threshold.line, threshold.text);
    let reason = reason(message, "threshold", full);
    let outcome = match threshold.outcome {
        OutcomeResult::Met => Outcome::Passed,
        OutcomeResult::Missed | OutcomeResult::NoData => Outcome::Failed(reason),
        OutcomeResult::TooFew => Outcome::Error(reason),
    };
    Test::new(&threshold.text, outcome)
}

/// The audit. A fault that a threshold is about is for that to decide.
fn audit(result: &RunResult, found: &DeliveriesResult) -> Test {
    let name = "every message reaches whom it has to, once, in order, and nobody else";
    let is_decided = |fault: &Fault| result.thresholds.iter().any(|threshold| threshold.is_about(*fault));
    let found_wrong: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| found.fault(*fault) > 0).collect();
    let said = found_wrong.iter().map(|fault| format!("{}: {}", fault.name(), count(found.fault(*fault))));
    let said = said.collect::<Vec<_>>().join(", ");
    let full = [std::slice::from_ref(&said), &found.offenders[..]].concat().join("\n");
    if !found_wrong.iter().all(is_decided) {
        return Test::new(name, Outcome::Failed(reason(said, "audit", full)));
    }
    let outcome = match found.not_judged().filter(|_| found_wrong.is_empty()) {
        Some(why) => not_judged(found, &why),
        None => Outcome::Passed,
    };
    Test { output: (!found_wrong.is_empty()).then_some(full), ..Test::new(name, outcome) }
}

/// JUnit has no other word for a test that says nothing.
fn not_judged(found: &DeliveriesResult, why: &str) -> Outcome {
    let causes = found.undecided_causes.iter().map(|one| format!("{}: {}", one.cause, count(one.count)));
    Outcome::Skipped(Reason {
        message: format!("deliveries were not judged: {why}"),
        of: None,
        full: Some(causes.collect::<Vec<_>>().join("\n")),
    })
}

/// What no single test can report: that the server was not there, or that nothing was proved.
fn whole(result: &RunResult) -> Test {
    let verdict = &result.verdict;
    let full = text_of_run(result, LOOK, Detail::Usual);
    let reason = reason(&verdict.reason, verdict.status.name(), full);
    let outcome = match verdict.status {
        Status::Passed | Status::Failed => Outcome::Failed(reason),
        Status::Invalid | Status::Interrupted | Status::Unreachable => Outcome::Error(reason),
    };
    Test::new("the run as a whole", outcome)
}

#[cfg(test)]
mod tests {
    use quick_junit::{Report, TestCaseStatus};

    use super::*;
    use crate::report::example::{flawless, troubled, unjudged};

    fn read(results: &[RunResult]) -> Report {
        let xml = to_junit(results);
        Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
    }

    #[test]
    fn every_scenario_is_a_suite_and_every_step_threshold_and_audit_a_test() {
        let report = read(&[troubled(), flawless()]);
        let names: Vec<Vec<String>> = report
            .test_suites
            .iter()
            .map(|suite| suite.test_cases.iter().map(|test| test.name.to_string()).collect())
            .collect();
        assert_eq!(names[0].len(), 3 + 4 + 1, "{names:?}");
        assert_eq!(names[0][2], "expect said within 1 s (scenarios/load/busy-rooms.yaml:12)");
        assert_eq!(names[0][3], "delivery p99 < 25 ms");
        assert_eq!(
            names[1],
            [
                "connect (scenarios/conformance/hello.yaml:5)",
                "expect hello (scenarios/conformance/hello.yaml:6)"
            ]
        );
    }

    #[test]
    fn a_failure_tells_what_was_expected_what_came_and_where() {
        let xml = to_junit(&[troubled()]);
        let lines = xml.split("<failure").nth(1).expect("something failed");
        for part in ["expected event said with", "busy-rooms.yaml:12", "actual", "wire"] {
            assert!(lines.contains(part), "{part}: {xml}");
        }
        assert!(!xml.contains('\u{1b}'));
    }

    #[test]
    fn too_few_samples_are_an_error_and_what_a_threshold_allows_passes() {
        let report = read(&[troubled()]);
        assert_eq!(report.test_suites[0].errors, 1, "ack p99.9 has too few samples");
        let connect = &report.test_suites[0].test_cases[0];
        assert!(matches!(connect.status, TestCaseStatus::Success { .. }), "{connect:?}");
        assert!(connect.system_out.is_some());
    }

    #[test]
    fn deliveries_that_were_not_judged_are_a_skipped_test_with_the_reason() {
        let report = read(&[unjudged()]);
        let audit = report.test_suites[0].test_cases.last().expect("the audit is a test");
        let TestCaseStatus::Skipped { message, description, .. } = &audit.status else { panic!("{audit:?}") };
        let message = message.as_ref().expect("it says why");
        assert_eq!(message.as_str(), "deliveries were not judged: 2.5 % of 40 pairs decided");
        let causes = description.as_ref().expect("it says the causes");
        assert!(causes.as_str().contains("not certainly a member of the room: 39"), "{causes:?}");
        assert_eq!((report.failures, report.errors), (0, 0));
    }

    #[test]
    fn a_run_that_failed_and_whose_audit_was_skipped_is_a_failure_of_its_own() {
        let failed = |status, reason: &str| {
            let mut result = unjudged();
            result.verdict = crate::verdict::Verdict { status, reason: reason.into(), exit_code: 1 };
            let report = read(&[result]);
            let last = report.test_suites[0].test_cases.last().map(|test| test.name.to_string());
            (report.failures, report.errors, last.unwrap_or_default())
        };
        let whole = "the run as a whole".to_owned();
        assert_eq!(failed(Status::Failed, "a connection was dropped"), (1, 0, whole.clone()));
        assert_eq!(failed(Status::Invalid, "the machine was too slow"), (0, 1, whole));
    }

    #[test]
    fn a_threshold_about_deliveries_that_were_not_judged_is_skipped_and_shown_as_doubtful() {
        let mut result = unjudged();
        result.thresholds = vec![
            ThresholdResult { text: "delivery missing == 0".into(), ..met() },
            ThresholdResult { text: "delivery p99 < 25 ms".into(), ..met() },
        ];
        let report = read(&[result.clone()]);
        let of = |name: &str| {
            let mut tests = report.test_suites[0].test_cases.iter();
            tests.find(|test| test.name.as_str() == name).map(|test| test.status.clone())
        };
        assert!(matches!(of("delivery missing == 0"), Some(TestCaseStatus::Skipped { .. })), "{report:?}");
        assert!(matches!(of("delivery p99 < 25 ms"), Some(TestCaseStatus::Success { .. })), "{report:?}");
        let text = text_of_run(&result, LOOK, Detail::Usual);
        let line = text.lines().find(|line| line.contains("delivery missing == 0")).expect("it is shown");
        assert!(line.contains("not judged") && !line.contains('✓'), "{line}");
    }

    fn met() -> ThresholdResult {
        ThresholdResult {
            text: String::new(),
            line: 1,
            value: Some(0.0),
            limit: 0.0,
            unit: "count".into(),
            value_text: "0".into(),
            limit_text: "0".into(),
            met: true,
            outcome: OutcomeResult::Met,
            samples: 1,
            samples_needed: 0,
        }
    }

    #[test]
    fn a_run_that_failed_without_any_test_of_its_own_is_a_test() {
        let mut result = flawless();
        result.checks.clear();
        result.verdict = crate::verdict::Verdict {
            status: Status::Unreachable,
            reason: "nothing listens at http://127.0.0.1:1".into(),
            exit_code: 3,
        };
        let report = read(&[result]);
        assert_eq!((report.tests, report.errors), (1, 1));
    }
}
