//! What counts against a server, as commands of GitHub Actions.

use super::result::{CaseResult, FindingResult, SuiteResult};
use crate::report::github::{MOST, error};

/// What counts against a server, as commands of GitHub Actions, one to a line.
pub fn annotations(suites: &[SuiteResult], strict: bool) -> Vec<String> {
    // Those by which a case fails are told by that case.
    let findings = suites.iter().flat_map(|suite| {
        let counts =
            |finding: &&FindingResult| finding.failed.is_empty() && suite.finding_counts(finding, strict);
        suite.findings.iter().filter(counts).map(move |finding| (suite, finding))
    });
    let findings = findings.map(|(suite, finding)| {
        let title = format!("{}: {} on {}", finding.verdict.name(), finding.name(), suite.name);
        error("", 0, 0, &title, &finding.sentence())
    });
    let cases = suites.iter().flat_map(|suite| {
        let is_told = |case: &CaseResult| case.by.is_some();
        let counts = move |case: &&CaseResult| suite.counts_against(case, strict) && !is_told(case);
        let against = suite.cases.iter().filter(counts);
        against.map(move |case| (suite, case))
    });
    let told = cases.map(|(suite, case)| {
        let title = format!("{}: {} on {}", case.verdict.name(), case.label(), suite.name);
        // The cases are not in the user's repository, so there is no line to show them at.
        error("", 0, 0, &title, &format!("{}\n{}\nagain: {}", case.name, case.reason, case.command))
    });
    findings.chain(told).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Verdict;
    use crate::conformance::example::{result, suite};

    #[test]
    fn what_counts_against_a_server_is_annotated() {
        let verdicts = [Verdict::Fail, Verdict::Warn].map(|verdict| result("a/b", None, verdict));
        let suites = [suite("x", verdicts.to_vec())];
        assert_eq!((annotations(&suites, false).len(), annotations(&suites, true).len()), (1, 2));
        assert!(
            annotations(&suites, false)[0]
                .starts_with("::error title=fail%3A a/b on x::A broadcast to a room")
        );
    }
}
