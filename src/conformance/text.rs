//! The result of the suite as text for a terminal: what failed in full, a row for each area, the summary.

use std::cmp::Reverse;
use std::time::Duration;

use super::result::{BaselineResult, BaselineRow, CaseResult, SuiteResult, Summary};
use super::verdict::Verdict;
use crate::measure::format::{self, count, printable};
use crate::report::text::layout::{Page, Tone, columns, listed, padded};
use crate::report::text::{Detail, Look, checks, target};

/// How many reasons are told why cases were not played.
const REASONS: usize = 8;

/// The whole report.
pub fn render(result: &SuiteResult, look: Look, detail: Detail) -> String {
    let mut page = Page::new(look);
    for verdict in [Verdict::Fail, Verdict::Blocked, Verdict::Warn, Verdict::Note] {
        for case in result.cases.iter().filter(|case| case.verdict == verdict && !is_known(result, case)) {
            in_full(&mut page, case);
        }
    }
    if detail == Detail::Everything {
        page.heading("Cases");
        result.cases.iter().for_each(|case| line(&mut page, case));
    }
    if detail != Detail::Little {
        skipped(&mut page, result, if detail == Detail::Everything { usize::MAX } else { REASONS });
        areas(&mut page, result);
        features(&mut page, result);
    }
    for finding in &result.findings {
        page.gap();
        page.wrapped("", "  ", &[("✗ ", Tone::Bad), (&printable(finding), Tone::Plain)]);
    }
    if let Some(compared) = &result.baseline {
        baseline(&mut page, compared);
    }
    summary(&mut page, result);
    page.finish().trim_start_matches('\n').to_owned()
}

/// Whether a baseline lists this deviation: there is no need to tell it again.
pub(super) fn is_known(result: &SuiteResult, case: &CaseResult) -> bool {
    let label = case.label();
    case.verdict.is_deviation()
        && result.baseline.as_ref().is_some_and(|baseline| baseline.new.iter().all(|row| row.case != label))
}

/// The report of one case in full.
pub fn render_case(case: &CaseResult, look: Look) -> String {
    let mut page = Page::new(look);
    in_full(&mut page, case);
    page.finish().trim_start_matches('\n').to_owned()
}

/// The verdicts that were given, with their numbers: `12 pass, 1 fail`.
pub fn counts(summary: &Summary) -> String {
    let given = Verdict::ALL.into_iter().filter(|verdict| summary.count(*verdict) > 0);
    let parts: Vec<String> =
        given.map(|verdict| format!("{} {}", count(summary.count(verdict)), verdict.name())).collect();
    if parts.is_empty() { "nothing yet".to_owned() } else { parts.join(", ") }
}

pub(super) fn mark(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Pass => ("✓", Tone::Good),
        Verdict::Fail | Verdict::Blocked => ("✗", Tone::Bad),
        Verdict::Warn => ("!", Tone::Doubtful),
        Verdict::Note => ("·", Tone::Doubtful),
        Verdict::Skip => ("–", Tone::Faint),
    }
}

fn in_full(page: &mut Page, case: &CaseResult) {
    let (mark, tone) = mark(case.verdict);
    let head = format!("{mark} {} ", case.verdict.name());
    page.gap();
    page.wrapped("", "  ", &[(&head, tone), (&printable(&case.label()), Tone::Strong)]);
    page.wrapped("  ", "  ", &[(&printable(&case.name), Tone::Plain)]);
    let mut facts: Vec<String> = vec![case.level.name().to_owned()];
    facts.extend(case.clause.iter().chain(&case.spec).map(|text| printable(text)));
    page.wrapped("  ", "  ", &[(&listed(&facts), Tone::Faint)]);
    match &case.checks[..] {
        [] => page.wrapped("  ", "    ", &[(&printable(&case.reason), Tone::Plain)]),
        all => all.iter().for_each(|check| checks::failed(page, check)),
    }
    for error in &case.errors {
        let example = error.examples.first().map(|example| format!(": {}", printable(&example.detail)));
        let text =
            format!("{} × {}{}", count(error.count), printable(&error.cause), example.unwrap_or_default());
        page.wrapped("  ", "    ", &[(&text, Tone::Faint)]);
    }
    page.wrapped("  ", "    ", &[("again: ", Tone::Faint), (&printable(&case.command), Tone::Plain)]);
}

fn line(page: &mut Page, case: &CaseResult) {
    let (mark, tone) = mark(case.verdict);
    let time = format::duration(Duration::from_micros(case.duration_us));
    let facts = match case.verdict {
        Verdict::Skip => String::new(),
        _ => format!("  {time}"),
    };
    let head = format!("{mark} {} ", padded(case.verdict.name(), 7));
    page.row(&[
        ("  ", Tone::Plain),
        (&head, tone),
        (&printable(&case.label()), Tone::Plain),
        (&facts, Tone::Faint),
    ]);
}

/// Why cases were not played: each reason once.
fn skipped(page: &mut Page, result: &SuiteResult, most: usize) {
    let reasons = reasons(result);
    if reasons.is_empty() {
        return;
    }
    page.heading("Not played");
    let (told, rest) = reasons.split_at(reasons.len().min(most));
    for (reason, labels) in told {
        let first = labels.iter().take(3).map(|label| printable(label)).collect::<Vec<_>>().join(", ");
        let more = if labels.len() > 3 { format!(" and {} more", labels.len() - 3) } else { String::new() };
        let text = format!(": {first}{more}");
        page.wrapped("  ", "    ", &[(&printable(reason), Tone::Plain), (&text, Tone::Faint)]);
    }
    if !rest.is_empty() {
        let cases = rest.iter().map(|(_, labels)| labels.len() as u64).sum();
        let text = format!("and {} for other reasons: --verbose tells them", format::counted(cases, "case"));
        page.wrapped("  ", "    ", &[(&text, Tone::Faint)]);
    }
}

/// The reasons why cases were not played, the most frequent first, each with the labels of its cases.
pub(super) fn reasons(result: &SuiteResult) -> Vec<(&str, Vec<String>)> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for case in result.cases.iter().filter(|case| case.verdict == Verdict::Skip) {
        match reasons.iter_mut().find(|(reason, _)| *reason == case.reason) {
            Some((_, labels)) => labels.push(case.label()),
            None => reasons.push((&case.reason, vec![case.label()])),
        }
    }
    reasons.sort_by_key(|(_, labels)| Reverse(labels.len()));
    reasons
}

fn areas(page: &mut Page, result: &SuiteResult) {
    let mut areas: Vec<&str> = result.cases.iter().map(|case| case.area.as_str()).collect();
    areas.dedup();
    let of = |area: &str| {
        Summary::of(result.cases.iter().filter(|case| case.area == area).map(|case| case.verdict))
    };
    let shown: Vec<Verdict> =
        Verdict::ALL.into_iter().filter(|verdict| result.summary.count(*verdict) > 0).collect();
    let width = areas.iter().map(|area| columns(area)).max().unwrap_or(0).max(5);
    let cell = |text: &str| format!("{text:>9}");
    page.gap();
    let head: String = shown.iter().map(|verdict| cell(verdict.name())).collect();
    page.row(&[(&format!("  {}", padded("area", width)), Tone::Strong), (&head, Tone::Strong)]);
    let mut row = |name: &str, summary: Summary| {
        let cells: Vec<(String, Tone)> = shown
            .iter()
            .map(|verdict| match summary.count(*verdict) {
                0 => (cell("–"), Tone::Faint),
                number => (cell(&count(number)), mark(*verdict).1),
            })
            .collect();
        let name = format!("  {}", padded(&printable(name), width));
        let mut pieces = vec![(name.as_str(), Tone::Plain)];
        pieces.extend(cells.iter().map(|(text, tone)| (text.as_str(), *tone)));
        page.row(&pieces);
    };
    for area in areas {
        row(area, of(area));
    }
    row("all", result.summary);
}

fn features(page: &mut Page, result: &SuiteResult) {
    let missing: Vec<String> =
        result.features.iter().filter(|feature| !feature.there).map(|feature| feature.name.clone()).collect();
    if !missing.is_empty() {
        page.gap();
        page.wrapped("  ", "    ", &[("not offered: ", Tone::Faint), (&listed(&missing), Tone::Plain)]);
    }
}

/// What is new and what is gone, by name, with what to do.
fn baseline(page: &mut Page, compared: &BaselineResult) {
    let file = printable(&compared.file);
    let mut list = |head: String, rows: &[BaselineRow], tell: &dyn Fn(&BaselineRow) -> String| {
        if rows.is_empty() {
            return;
        }
        page.gap();
        page.wrapped("", "  ", &[("✗ ", Tone::Bad), (&head, Tone::Plain)]);
        for row in rows {
            let text = tell(row);
            page.wrapped("  ", "    ", &[(&printable(&row.case), Tone::Strong), (&text, Tone::Plain)]);
        }
    };
    list(
        format!(
            "new, and not in {file}: repair the server, or add a row with the evidence (--write-baseline)"
        ),
        &compared.new,
        &|row| match row.listed {
            Some(listed) => format!(": {}, listed as {}", row.now.name(), listed.name()),
            None => format!(": {}", row.now.name()),
        },
    );
    list(format!("listed in {file}, and they pass by now: take these rows out"), &compared.gone, &|row| {
        row.listed.map_or_else(String::new, |listed| format!(": listed as {}", listed.name()))
    });
    let known = match compared.known {
        1 => format!("1 case does not pass, as {file} says"),
        known => format!("{} cases do not pass, as {file} says", count(known)),
    };
    page.gap();
    page.wrapped("", "  ", &[(&known, Tone::Faint)]);
}

fn summary(page: &mut Page, result: &SuiteResult) {
    let (head, tone) = match result.exit_code {
        0 => ("✓ passed", Tone::Good),
        3 => ("✗ unreachable", Tone::Bad),
        130 => ("? interrupted", Tone::Doubtful),
        _ => ("✗ failed", Tone::Bad),
    };
    let time = format::duration(Duration::from_micros(result.duration_us));
    let cases = format::counted(result.summary.total(), "case");
    let text = format!(": {cases} in {time}: {}.", counts(&result.summary));
    page.gap();
    page.wrapped("", "  ", &[(head, tone), (&text, Tone::Plain)]);
    let environment = &result.environment;
    let facts = [
        target(&result.target),
        format!("sockrates {}", printable(&result.tool_version)),
        format!("{}, {}", printable(&environment.os), format::counted(environment.cpus.into(), "cpu")),
        printable(&result.started),
    ];
    page.wrapped("  ", "  ", &[(&listed(&facts), Tone::Faint)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};
    use crate::session::Transport;

    const LOOK: Look = Look { width: 100, colour: false };

    #[test]
    fn a_report_reads_like_this() {
        let cases = vec![
            result("rooms/first", None, Verdict::Pass),
            result("rooms/second", Some(Transport::Polling), Verdict::Fail),
            result("rooms/third", None, Verdict::Skip),
            result("upgrade/fourth", None, Verdict::Blocked),
        ];
        let text = render(&suite("x", cases), LOOK, Detail::Everything);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "what a server wrote is escaped");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_a_baseline_knows_is_not_told_again() {
        let cases = vec![result("a/old", None, Verdict::Fail), result("a/new", None, Verdict::Warn)];
        let mut suite = suite("x", cases);
        let new = BaselineRow { case: "a/new".to_owned(), listed: None, now: Verdict::Warn };
        suite.baseline = Some(BaselineResult {
            file: "known.yaml".to_owned(),
            known: 1,
            new: vec![new],
            gone: Vec::new(),
        });
        let text = render(&suite, LOOK, Detail::Usual);
        assert!(!text.contains("a/old") && text.contains("! warn a/new"), "{text}");
        assert!(
            text.contains("new, and not in known.yaml") && text.contains("1 case does not pass"),
            "{text}"
        );
    }
}
