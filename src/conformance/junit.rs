//! Results as JUnit XML, for those who collect the results of tests. It knows no more than passed, failed and skipped:
//! what does not count against the server passes there, and its report stands in the output of the test.

use std::time::Duration;

use super::report::{case_blocks, found};
use super::result::{CaseResult, FindingResult, SuiteResult};
use super::verdict::Verdict;
use crate::report::junit::{LOOK, reason};
use crate::report::junit_xml::{Outcome, Reason, Suite, Test, to_xml};
use crate::report::{Detail, terminal_blocks};

/// The content of a JUnit file. A test suite for each area; of several servers, for each area of each.
pub fn to_junit(suites: &[SuiteResult], strict: bool) -> String {
    let name_of = |suite: &SuiteResult, what: &str| match suites.len() {
        0 | 1 => what.to_owned(),
        _ => format!("{} {what}", suite.name),
    };
    let mut all = Vec::new();
    for suite in suites {
        let mut areas: Vec<&str> = suite.cases.iter().map(|case| case.area.as_str()).collect();
        areas.dedup();
        for area in areas {
            let cases = suite.cases.iter().filter(|case| case.area == area);
            let tests = cases.map(|case| test(suite, case, strict)).collect();
            all.push(Suite { name: name_of(suite, area), tests, ..Suite::default() });
        }
        if !suite.findings.is_empty() {
            let tests = suite.findings.iter().map(|finding| test_of(suite, finding, strict)).collect();
            all.push(Suite { name: name_of(suite, FINDINGS), tests, ..Suite::default() });
        }
    }
    to_xml("sockrates conform", &all)
}

/// The test suite of what belongs to no single case.
const FINDINGS: &str = "findings";

fn test_of(suite: &SuiteResult, finding: &FindingResult, strict: bool) -> Test {
    let told = || terminal_blocks(&[found(suite, finding)], LOOK, Detail::Everything);
    let outcome = match suite.finding_counts(finding, strict) {
        true => Outcome::Failed(reason(finding.sentence(), finding.verdict.name(), told())),
        false => Outcome::Passed,
    };
    let output = matches!(outcome, Outcome::Passed).then(told);
    Test { class: FINDINGS.to_owned(), output, ..Test::new(finding.name(), outcome) }
}

fn test(suite: &SuiteResult, case: &CaseResult, strict: bool) -> Test {
    let not_passed = || reason(&case.reason, case.verdict.name(), in_full(case));
    let outcome = match case.verdict {
        Verdict::Skip | Verdict::Blocked if !case.is_unreached() => {
            Outcome::Skipped(Reason { message: case.reason.clone(), ..Reason::default() })
        }
        _ if !suite.counts_against(case, strict) => Outcome::Passed,
        _ if case.is_unreached() => Outcome::Error(not_passed()),
        _ => Outcome::Failed(not_passed()),
    };
    let is_told = matches!(outcome, Outcome::Passed) && case.verdict != Verdict::Pass;
    Test {
        class: case.area.clone(),
        time: Some(Duration::from_micros(case.duration_us)),
        output: is_told.then(|| in_full(case)),
        ..Test::new(case.label(), outcome)
    }
}

/// The report about the case.
fn in_full(case: &CaseResult) -> String {
    terminal_blocks(&case_blocks(case), LOOK, Detail::Usual)
}

#[cfg(test)]
mod tests {
    use quick_junit::Report;

    use super::*;
    use crate::conformance::example::{result, suite};

    fn read(strict: bool) -> Report {
        let verdicts = Verdict::ALL.map(|verdict| result(&format!("a/{}", verdict.name()), None, verdict));
        let xml = to_junit(&[suite("x", verdicts.to_vec())], strict);
        Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
    }

    #[test]
    fn every_case_is_a_test_and_what_a_server_wrote_harms_no_reader() {
        let report = read(false);
        assert_eq!((report.tests, report.failures, report.errors), (6, 1, 1));
        assert_eq!(report.test_suites.len(), 1);
        let names: Vec<String> =
            report.test_suites[0].test_cases.iter().map(|test| test.name.to_string()).collect();
        assert_eq!(names, ["a/pass", "a/fail", "a/warn", "a/note", "a/skip", "a/blocked"]);
    }

    #[test]
    fn a_finding_is_a_test_and_what_it_blocks_is_skipped() {
        let mut blocked = result("a/blocked", None, Verdict::Blocked);
        blocked.by = Some("EIO-CL-01".to_owned());
        let mut suite = suite("x", vec![blocked]);
        suite.findings = vec![FindingResult::death("it ended".to_owned(), None, Vec::new())];
        let report = Report::deserialize_from_str(&to_junit(&[suite], false)).expect("it is XML");
        let names: Vec<&str> = report.test_suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["a", "findings"]);
        assert_eq!((report.tests, report.failures, report.errors), (2, 1, 0));
    }

    #[test]
    fn strictly_warnings_are_failures() {
        assert_eq!(read(true).failures, 2);
    }

    #[test]
    fn several_servers_have_suites_of_their_own() {
        let one = || vec![result("a/one", None, Verdict::Pass)];
        let xml = to_junit(&[suite("x", one()), suite("y", one())], false);
        let report = Report::deserialize_from_str(&xml).expect("it is XML");
        let names: Vec<String> = report.test_suites.iter().map(|suite| suite.name.to_string()).collect();
        assert_eq!(names, ["x a", "y a"]);
    }
}
