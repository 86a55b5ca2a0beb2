//! Several servers beside each other: cases by server, those that differ first.

use super::result::SuiteResult;
use super::verdict::Verdict;
use crate::measure::format::{count, printable};
use crate::report::text::layout::{Page, Tone, columns, padded};
use crate::report::text::{Detail, Look};

use super::text::mark;

/// A row: the case, and what it came to on each server, where it was chosen.
struct Row {
    label: String,
    verdicts: Vec<Option<Verdict>>,
}

impl Row {
    fn differs(&self) -> bool {
        self.verdicts.iter().any(|verdict| *verdict != self.verdicts[0])
    }

    fn passes(&self) -> bool {
        self.verdicts.iter().all(|verdict| *verdict == Some(Verdict::Pass))
    }
}

/// The matrix. Cases that pass everywhere are counted, and shown only where everything is.
pub fn render(suites: &[SuiteResult], look: Look, detail: Detail) -> String {
    let rows = rows(suites);
    let (differing, alike): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.differs());
    let (passing, other): (Vec<&Row>, Vec<&Row>) = alike.into_iter().partition(|row| row.passes());
    let names: Vec<String> = suites.iter().map(|suite| printable(&suite.name)).collect();
    let widths: Vec<usize> = names.iter().map(|name| columns(name).clamp(8, 24) + 2).collect();
    let all_passing = match passing.len() {
        1 => "1 case that passes everywhere".to_owned(),
        cases => format!("{} cases that pass everywhere", count(cases as u64)),
    };
    let shown = |row: &&&Row| detail == Detail::Everything || !row.passes();
    let first = differing.iter().chain(&other).chain(&passing).filter(shown).map(|row| columns(&row.label));
    let first = first.chain([columns(&all_passing)]).max().unwrap_or(0);

    let mut page = Page::new(look);
    let mut line = |label: &str, tone: Tone, cells: Vec<(String, Tone)>| {
        let label = padded(label, first);
        let cells: Vec<(String, Tone)> =
            cells.into_iter().zip(&widths).map(|((text, tone), width)| (cell(&text, *width), tone)).collect();
        let mut pieces = vec![("  ", Tone::Plain), (label.as_str(), tone)];
        pieces.extend(cells.iter().map(|(text, tone)| (text.as_str(), *tone)));
        page.row(&pieces);
    };
    let word = |verdict: &Option<Verdict>| match verdict {
        Some(verdict) => (verdict.name().to_owned(), mark(*verdict).1),
        None => ("–".to_owned(), Tone::Faint),
    };
    line("case", Tone::Strong, names.iter().map(|name| (name.clone(), Tone::Strong)).collect());
    for row in differing.iter().chain(&other) {
        line(&printable(&row.label), Tone::Plain, row.verdicts.iter().map(word).collect());
    }
    match detail {
        Detail::Everything => {
            passing.iter().for_each(|row| {
                line(&printable(&row.label), Tone::Plain, row.verdicts.iter().map(word).collect());
            });
        }
        _ if !passing.is_empty() => {
            line(&all_passing, Tone::Faint, names.iter().map(|_| ("pass".to_owned(), Tone::Good)).collect());
        }
        _ => {}
    }
    for verdict in Verdict::ALL {
        if suites.iter().any(|suite| suite.summary.count(verdict) > 0) {
            let numbers = suites.iter().map(|suite| (count(suite.summary.count(verdict)), Tone::Strong));
            line(&format!("all: {}", verdict.name()), Tone::Strong, numbers.collect());
        }
    }
    page.finish()
}

fn cell(text: &str, width: usize) -> String {
    let kept: String = match text.chars().count() > width - 2 {
        true => text.chars().take(width - 3).chain(['…']).collect(),
        false => text.to_owned(),
    };
    format!("{}{kept}", " ".repeat(width.saturating_sub(columns(&kept))))
}

fn rows(suites: &[SuiteResult]) -> Vec<Row> {
    let mut labels: Vec<String> =
        suites.iter().flat_map(|suite| suite.cases.iter().map(super::CaseResult::label)).collect();
    labels.sort();
    labels.dedup();
    let verdict = |suite: &SuiteResult, label: &str| {
        suite.cases.iter().find(|case| case.label() == label).map(|case| case.verdict)
    };
    labels
        .into_iter()
        .map(|label| Row { verdicts: suites.iter().map(|suite| verdict(suite, &label)).collect(), label })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};
    use Verdict::{Fail, Pass, Warn};

    #[test]
    fn what_differs_comes_first_and_what_passes_everywhere_is_counted() {
        let of = |name: &str, second: Verdict| {
            let cases = vec![
                result("a/one", None, Pass),
                result("b/two", None, second),
                result("a/three", None, Warn),
                result("c/four", None, Pass),
            ];
            suite(name, cases)
        };
        let suites = [of("node", Pass), of("a server with a long name of its own", Fail)];
        let look = Look { width: 100, colour: false };
        insta::assert_snapshot!(render(&suites, look, Detail::Usual), @r"
          case                              node  a server with a long na…
          b/two                             pass                      fail
          a/three                           warn                      warn
          2 cases that pass everywhere      pass                      pass
          all: pass                            3                         2
          all: fail                            0                         1
          all: warn                            1                         1
        ");
        assert!(render(&suites, look, Detail::Everything).contains("c/four"));
    }
}
