//! Results as Markdown, for the summary of a CI job and for a pull request: the verdict first, then tables of what
//! decided it. Short: what held is counted, and of what failed the first few are told.
//!
//! Names, payloads and sentences come from servers and files. Nothing in them may be read as Markdown or HTML.

use std::fmt::Write;
use std::time::Duration;

use super::RunResult;
use super::result::{
    CauseResult, CheckResult, DeliveriesResult, MetricResult, OutcomeResult, ThresholdResult,
};
use super::text::target;
use crate::measure::format::{self, count, counted, printable};
use crate::verdict::Status;

/// Steps that failed are told up to here; the rest are counted.
const MOST_CHECKS: usize = 10;

/// Characters of a payload that are shown.
const LONGEST: usize = 200;

/// The whole page: a section for each run; of several, a summary first.
pub fn to_markdown(results: &[RunResult]) -> String {
    let mut page = String::new();
    if results.len() > 1 {
        let passed = results.iter().filter(|result| result.verdict.status == Status::Passed).count();
        let _ = writeln!(page, "**{passed} of {} scenarios passed**\n", results.len());
    }
    for result in results {
        run(&mut page, result);
    }
    page
}

/// Text in which nothing means anything to Markdown or HTML, on one line.
pub(crate) fn escaped(text: &str) -> String {
    let text = printable(text);
    let mut safe = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // What would mention somebody, or become a link to a number.
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '~' | '!' | '$' => {
                safe.push('\\');
                safe.push(character);
            }
            // What begins a list or a rule, at the begin only.
            '+' | '-' | '=' if index == 0 => {
                safe.push('\\');
                safe.push(character);
            }
            // A link that is written out becomes one.
            ':' if text.get(index..).is_some_and(|rest| rest.starts_with("://")) => safe.push_str("&#58;"),
            _ => safe.push(character),
        }
    }
    safe
}

/// The beginning of a text, escaped.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text),
    }
}

/// A table; cells are escaped already.
pub(crate) fn table(page: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let _ = writeln!(page, "| {} |", head.join(" | "));
    let _ = writeln!(page, "|{}", " --- |".repeat(head.len()));
    for row in rows {
        let _ = writeln!(page, "| {} |", row.join(" | "));
    }
    page.push('\n');
}

/// A sign that is seen in colour.
pub(crate) fn sign(is_good: Option<bool>) -> &'static str {
    match is_good {
        Some(true) => "✅",
        Some(false) => "❌",
        None => "⚠️",
    }
}

fn run(page: &mut String, result: &RunResult) {
    let status = result.verdict.status;
    let sign = sign(match status {
        Status::Passed => Some(true),
        Status::Failed | Status::Unreachable => Some(false),
        Status::Invalid | Status::Interrupted => None,
    });
    let _ = writeln!(page, "### {sign} {}: {}\n", escaped(&result.scenario.name), status.name());
    let _ = writeln!(page, "{}.\n", escaped(&result.verdict.reason));
    thresholds(page, &result.thresholds);
    checks(page, &result.checks);
    if let Some(found) = &result.deliveries {
        deliveries(page, found);
    }
    connections(page, &result.causes);
    latency(page, &result.metrics);
    let clients: u64 = result.clients.iter().map(|group| u64::from(group.count)).sum();
    let mut facts = vec![
        counted(clients, "client"),
        format::duration(Duration::from_micros(result.duration_us)),
        escaped(&target(&result.target)),
        format!("sockrates {}", escaped(&result.tool_version)),
        format!("seed {}", result.scenario.seed),
    ];
    facts.extend(result.scenario.overrides.iter().map(|text| escaped(text)));
    let _ = writeln!(page, "<sub>{}</sub>\n", facts.join(" · "));
}

fn thresholds(page: &mut String, thresholds: &[ThresholdResult]) {
    if thresholds.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = thresholds
        .iter()
        .map(|threshold| {
            let (is_good, value) = match threshold.outcome {
                OutcomeResult::Met => (Some(true), escaped(&threshold.value_text)),
                OutcomeResult::Missed | OutcomeResult::NoData => {
                    (Some(false), escaped(&threshold.value_text))
                }
                OutcomeResult::TooFew => {
                    let (has, needs) = (count(threshold.samples), count(threshold.samples_needed));
                    (None, format!("{} of {has} samples, needs {needs}", escaped(&threshold.value_text)))
                }
            };
            vec![sign(is_good).to_owned(), escaped(&threshold.text), value]
        })
        .collect();
    table(page, &["", "threshold", "measured"], &rows);
}

fn checks(page: &mut String, checks: &[CheckResult]) {
    let failed: Vec<&CheckResult> = checks.iter().filter(|check| check.failed + check.missed > 0).collect();
    if failed.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = failed.iter().take(MOST_CHECKS).map(|check| row(check)).collect();
    table(page, &["", "step", "failed", "expected", "seen", "place"], &rows);
    if let Some(more @ 1..) = failed.len().checked_sub(MOST_CHECKS) {
        let _ = writeln!(page, "and {} more.\n", counted(more as u64, "step"));
    }
}

/// A step that failed, as a row.
pub(crate) fn row(check: &CheckResult) -> Vec<String> {
    let first = check.failures.first();
    let text = |text: Option<&str>| text.map(shortened).unwrap_or_default();
    let number = match (check.failed, check.missed) {
        (failed, 0) => format!("{} of {}", count(failed), count(check.passed + failed)),
        (0, missed) => format!("{} came to nothing", count(missed)),
        (failed, missed) => format!("{}, {} came to nothing", count(failed), count(missed)),
    };
    vec![
        sign(if check.failed > 0 { Some(false) } else { None }).to_owned(),
        escaped(&check.step),
        number,
        text(first.map(|failure| failure.expected.as_str())),
        text(first.map(|failure| failure.actual.as_str())),
        escaped(&format!("{}:{}", check.file, check.line)),
    ]
}

fn deliveries(page: &mut String, found: &DeliveriesResult) {
    let faults = [found.missing, found.duplicate, found.disordered, found.leaked];
    let is_clean = faults.iter().all(|fault| *fault == 0);
    let mut cells = vec![sign(Some(is_clean)).to_owned(), count(found.messages), count(found.expected)];
    cells.extend(faults.map(count));
    let head = ["", "messages", "had to arrive", "missing", "duplicate", "out of order", "leaked"];
    table(page, &head, &[cells]);
    for offender in &found.offenders {
        let _ = writeln!(page, "- {}", shortened(offender));
    }
    if !found.offenders.is_empty() {
        page.push('\n');
    }
}

fn connections(page: &mut String, causes: &[CauseResult]) {
    if causes.is_empty() {
        return;
    }
    let row = |cause: &CauseResult| vec![escaped(&cause.counter), escaped(&cause.cause), count(cause.count)];
    table(page, &["connections", "cause", "count"], &causes.iter().map(row).collect::<Vec<_>>());
}

fn latency(page: &mut String, metrics: &[MetricResult]) {
    // The parts of a connect are for the whole report.
    let told = metrics.iter().filter(|metric| !metric.name.contains('.'));
    let rows: Vec<Vec<String>> = told
        .map(|metric| {
            let cell = |micros: Option<u64>, least: u64| match micros {
                _ if metric.count < least => "–".to_owned(),
                Some(micros) => format::measured(Duration::from_micros(micros)),
                None => "&gt; 2 min".to_owned(),
            };
            vec![
                escaped(&metric.name),
                cell(metric.p50_us, 2),
                cell(metric.p90_us, 10),
                cell(metric.p99_us, 100),
                cell(Some(metric.max_us), 1),
                count(metric.count),
            ]
        })
        .collect();
    if !rows.is_empty() {
        table(page, &["latency", "p50", "p90", "p99", "max", "count"], &rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled};

    #[test]
    fn a_run_with_troubles_reads_like_this() {
        insta::assert_snapshot!(to_markdown(&[troubled(), flawless()]));
    }

    #[test]
    fn nothing_from_a_server_or_a_file_is_markdown_or_html() {
        assert_eq!(escaped("<b>&|a`b`[x](http://y)"), "&lt;b&gt;&amp;\\|a\\`b\\`\\[x\\]\\(http&#58;//y\\)");
        assert_eq!(escaped("@all #1 *x* _y_ $1$"), "&#64;all &#35;1 \\*x\\* \\_y\\_ \\$1\\$");
        assert_eq!(escaped("- a\n- b"), "\\- a\\\\n- b");
        assert_eq!(escaped("ä://x"), "ä&#58;//x");
    }

    #[test]
    fn a_row_of_a_table_stays_one_row() {
        let mut result = troubled();
        result.checks[0].step = "a | b\nc".into();
        result.thresholds[0].text = "x | y".into();
        let page = to_markdown(&[result]);
        let unescaped = |line: &str| line.replace("\\|", "").matches('|').count();
        let widths: Vec<usize> =
            page.lines().filter(|line| line.contains("a \\| b")).map(unescaped).collect();
        assert_eq!(widths, [7], "{page}");
    }
}
