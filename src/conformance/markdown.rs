//! The result of the suite as Markdown, for the summary of a CI job and for a pull request: for each server the verdict,
//! the numbers, and the cases that count against it.

use std::fmt::Write;
use std::time::Duration;

use super::result::{CaseResult, SuiteResult};
use super::verdict::Verdict;
use crate::measure::format::{self, count};
use crate::report::github::{MOST as MOST_ANNOTATIONS, error};
use crate::report::markdown::{escaped, shortened, sign, table};
use crate::report::text::target;

/// Cases are told up to here; the rest are counted.
const MOST: usize = 25;

/// The whole page: a section for each server.
pub fn to_markdown(suites: &[SuiteResult], strict: bool) -> String {
    let mut page = String::new();
    suites.iter().for_each(|suite| section(&mut page, suite, strict));
    page
}

fn section(page: &mut String, suite: &SuiteResult, strict: bool) {
    let against: Vec<&CaseResult> =
        suite.cases.iter().filter(|case| suite.counts_against(case, strict)).collect();
    let gone = suite.baseline.as_ref().map_or(&[][..], |baseline| &baseline.gone);
    let is_good =
        against.is_empty() && gone.is_empty() && suite.findings.is_empty() && suite.summary.judged() > 0;
    let judged = format!("{} of {} cases pass", count(suite.summary.pass), count(suite.summary.judged()));
    let _ = writeln!(page, "### {} Conformance of {}: {judged}\n", sign(Some(is_good)), escaped(&suite.name));
    let numbers = Verdict::ALL.map(|verdict| count(suite.summary.count(verdict)));
    table(page, &Verdict::ALL.map(Verdict::name), &[numbers.to_vec()]);
    for finding in &suite.findings {
        let _ = writeln!(page, "- {}", shortened(finding));
    }
    for row in gone {
        let _ = writeln!(page, "- {} is listed in the baseline and passes by now", escaped(&row.case));
    }
    if !suite.findings.is_empty() || !gone.is_empty() {
        page.push('\n');
    }
    if !against.is_empty() {
        let rows: Vec<Vec<String>> = against
            .iter()
            .take(MOST)
            .map(|case| {
                vec![
                    case.verdict.name().to_owned(),
                    escaped(&case.label()),
                    escaped(&case.clause.join(", ")),
                    escaped(&case.name),
                    shortened(&case.reason),
                ]
            })
            .collect();
        table(page, &["", "case", "clause", "rule", "seen"], &rows);
        if let Some(more @ 1..) = against.len().checked_sub(MOST) {
            let _ = writeln!(page, "and {} more.\n", count(more as u64));
        }
    }
    let facts = [
        escaped(&target(&suite.target)),
        format::duration(Duration::from_micros(suite.duration_us)),
        format!("sockrates {}", escaped(&suite.tool_version)),
    ];
    let _ = writeln!(page, "<sub>{}</sub>\n", facts.join(" · "));
}

/// What counts against a server, as commands of GitHub Actions, one to a line.
pub fn annotations(suites: &[SuiteResult], strict: bool) -> Vec<String> {
    let cases = suites.iter().flat_map(|suite| {
        let against = suite.cases.iter().filter(move |case| suite.counts_against(case, strict));
        against.map(move |case| (suite, case))
    });
    let told = cases.map(|(suite, case)| {
        let title = format!("{}: {} on {}", case.verdict.name(), case.label(), suite.name);
        // The cases are not in the user's repository, so there is no line to show them at.
        error("", 0, 0, &title, &format!("{}\n{}\nagain: {}", case.name, case.reason, case.command))
    });
    told.take(MOST_ANNOTATIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};

    fn page(strict: bool) -> String {
        let verdicts = Verdict::ALL.map(|verdict| result(&format!("a/{}", verdict.name()), None, verdict));
        to_markdown(&[suite("x|y", verdicts.to_vec())], strict)
    }

    #[test]
    fn a_suite_reads_like_this() {
        insta::assert_snapshot!(page(false));
    }

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

    #[test]
    fn strictly_warnings_are_told() {
        assert!(!page(false).contains("a/warn") && page(true).contains("a/warn"));
    }

    #[test]
    fn a_suite_in_which_nothing_was_judged_is_not_good() {
        assert!(to_markdown(&[suite("x", Vec::new())], false).starts_with("### ❌"));
    }
}
