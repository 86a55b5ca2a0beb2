//! Commands that report mistakes to GitHub Actions, which shows them beside the lines of the file.
//!
//! Spec: GitHub's documentation, "Workflow commands": properties and message are escaped by percent signs.

use super::RunResult;
use super::result::{BUNDLED, CheckResult, OutcomeResult};
use crate::measure::format::{count, counted};
use crate::verdict::Status;

/// GitHub shows no more of a kind for one step of a job.
pub const MOST: usize = 10;

/// What is worth a line beside the scenario, as commands of GitHub Actions, one to a line. None for a run that passed
/// and was judged.
pub fn annotations(result: &RunResult) -> Vec<String> {
    let file = &result.scenario.file;
    if result.verdict.status == Status::Passed {
        let unjudged = result
            .not_judged()
            .map(|_| command("warning", file, (1, 0), "deliveries were not judged", &result.verdict.reason));
        return unjudged.into_iter().collect();
    }
    let mut told: Vec<String> = result.checks.iter().filter_map(check).collect();
    for threshold in &result.thresholds {
        let message = match threshold.outcome {
            OutcomeResult::Met => continue,
            OutcomeResult::Missed | OutcomeResult::NoData => {
                format!("{}: {}", threshold.text, threshold.value_text)
            }
            OutcomeResult::TooFew => {
                let (has, needs) = (count(threshold.samples), count(threshold.samples_needed));
                format!("{}: only {has} samples of the {needs} that this needs", threshold.text)
            }
        };
        told.push(error(file, threshold.line, 0, "threshold not met", &message));
    }
    if told.is_empty() {
        told.push(error(file, 1, 0, &result.scenario.name, &result.verdict.reason));
    }
    told.truncate(MOST);
    told
}

/// A step that failed.
pub fn check(check: &CheckResult) -> Option<String> {
    let first = check.failures.first()?;
    if check.failed <= check.allowed {
        return None;
    }
    let all = counted(check.passed + check.failed, "check");
    let title = format!("{}: {} of {all} failed", check.step, count(check.failed));
    let message = format!("expected {}\nsaw {}", first.expected, first.actual);
    Some(error(&check.file, check.line, check.column, &title, &message))
}

/// The command that shows an error at a place; a line or column of 0 is none.
pub fn error(file: &str, line: u32, column: u32, title: &str, message: &str) -> String {
    command("error", file, (line, column), title, message)
}

fn command(kind: &str, file: &str, (line, column): (u32, u32), title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    // What is in the binary has no line that could be shown.
    let line = if file.is_empty() || file.ends_with(BUNDLED) { 0 } else { line };
    if line > 0 {
        properties.push(format!("file={},line={line}", property(file)));
    }
    if line > 0 && column > 0 {
        properties.push(format!("col={column}"));
    }
    properties.push(format!("title={}", property(title)));
    format!("::{kind} {}::{}", properties.join(","), data(message))
}

/// The message of a command.
fn data(text: &str) -> String {
    // The runner reads lines: what else a terminal would obey is escaped as everywhere.
    let lines: Vec<String> = text.lines().map(crate::measure::format::printable).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled, unjudged};

    #[test]
    fn failed_steps_and_thresholds_stand_at_their_lines() {
        let told = annotations(&troubled());
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(
            told[0].starts_with(
                "::error file=scenarios/load/busy-rooms.yaml,line=12,col=5,title=expect said within 1 s%3A 10 of 30%2C000 \
                 checks failed::expected event said with [\"hello\"] within 1 s%0Asaw nothing matched; "
            ),
            "{}",
            told[0]
        );
        assert!(
            told[1].contains(",line=16,title=threshold not met::ack p99.9 < 500 ms: only"),
            "{}",
            told[1]
        );
        assert_eq!(annotations(&flawless()), [""; 0]);
    }

    #[test]
    fn a_run_that_passed_and_whose_deliveries_were_not_judged_is_a_warning() {
        assert_eq!(
            annotations(&unjudged()),
            [
                "::warning file=scenarios/conformance/hello.yaml,line=1,title=deliveries were not judged::both checks \
              held, but deliveries were not judged: 2.5 %25 of 40 pairs decided"
            ]
        );
    }

    #[test]
    fn nothing_in_a_text_can_end_a_command_or_begin_another() {
        let told = error("a,b:c%.yaml", 1, 0, "x\r\n::error::y", "100 %\n::warning::z\u{1b}[31m");
        assert_eq!(
            told,
            "::error file=a%2Cb%3Ac%25.yaml,line=1,title=x%0A%3A%3Aerror%3A%3Ay::100 %25%0A::warning::z\\u{1b}[31m"
        );
        assert_eq!(told.lines().count(), 1);
    }
}
