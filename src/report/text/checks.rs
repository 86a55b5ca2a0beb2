//! The checks: failed ones in full, held ones in one line, or each in its own where everything is asked for.

use crate::measure::format::{count, counted, printable};
use crate::report::result::{CheckResult, FailureResult, WireResult};

use super::Detail;
use super::layout::{Page, Tone};

pub(super) fn render(page: &mut Page, checks: &[CheckResult], detail: Detail) {
    if checks.is_empty() {
        return;
    }
    page.heading("Checks");
    let held = |check: &&CheckResult| check.failed + check.missed == 0;
    checks.iter().filter(|check| !held(check)).for_each(|check| failed(page, check));
    let held: Vec<_> = checks.iter().filter(held).collect();
    if detail == Detail::Everything {
        for check in held {
            let text = format!("{}: {} held", printable(&check.step), counted(check.passed, "check"));
            page.wrapped("  ", "    ", &[("✓ ", Tone::Good), (&text, Tone::Plain)]);
        }
        return;
    }
    let total: u64 = held.iter().map(|check| check.passed).sum();
    let text = match (&held[..], held.len() == checks.len()) {
        ([], _) => return,
        ([only], _) => format!("{}: {} held", printable(&only.step), counted(only.passed, "check")),
        (_, true) => format!("{} in {} steps held", counted(total, "check"), held.len()),
        (_, false) => format!("{} in {} other steps held", counted(total, "check"), held.len()),
    };
    page.wrapped("  ", "    ", &[("✓ ", Tone::Good), (&text, Tone::Plain)]);
}

/// A step that failed, in full.
pub(crate) fn failed(page: &mut Page, check: &CheckResult) {
    let all = counted(check.passed + check.failed, "check");
    let missed = format!("{} came to nothing", count(check.missed));
    let (mark, numbers) = match (check.failed, check.missed) {
        // Whether it fails the run is said by the verdict: a threshold may allow it.
        (0, _) => (("! ", Tone::Doubtful), format!(": {missed}")),
        (failed, 0) => (("✗ ", Tone::Bad), format!(": {} of {all} failed", count(failed))),
        (failed, _) => (("✗ ", Tone::Bad), format!(": {} of {all} failed, {missed}", count(failed))),
    };
    page.wrapped("  ", "    ", &[mark, (&printable(&check.step), Tone::Strong), (&numbers, Tone::Plain)]);
    let file = if check.file.is_empty() { "line".to_owned() } else { printable(&check.file) };
    let separator = if check.file.is_empty() { " " } else { ":" };
    page.wrapped("    ", "    ", &[(&format!("{file}{separator}{}", check.line), Tone::Faint)]);
    let source = printable(check.source.trim());
    if !source.is_empty() {
        page.row(&[(&format!("    {:>4} │ ", check.line), Tone::Faint), (&source, Tone::Plain)]);
    }
    let groups = alike(&check.failures);
    for (clients, failure) in &groups {
        failure_in_full(page, clients, failure);
    }
    let shown = check.failures.len() as u64;
    let more = (check.failed + check.missed).saturating_sub(shown);
    if more > 0 {
        page.wrapped("    ", "    ", &[(&format!("and {} more", count(more)), Tone::Faint)]);
    }
}

/// Failures that differ only in their client, together; each with the wire log of the first client who has one.
pub(crate) fn alike(failures: &[FailureResult]) -> Vec<(Vec<&str>, &FailureResult)> {
    let mut groups: Vec<(Vec<&str>, &FailureResult)> = Vec::new();
    for failure in failures {
        let same = |(_, other): &&mut (Vec<&str>, &FailureResult)| {
            other.expected == failure.expected && other.actual == failure.actual
        };
        match groups.iter_mut().find(same) {
            Some((clients, first)) => {
                if !clients.contains(&failure.client.as_str()) {
                    clients.push(&failure.client);
                }
                if first.wire.is_empty() {
                    *first = failure;
                }
            }
            None => groups.push((vec![&failure.client], failure)),
        }
    }
    groups
}

fn failure_in_full(page: &mut Page, clients: &[&str], failure: &FailureResult) {
    page.wrapped("    ", "      ", &[(&printable(&clients.join(", ")), Tone::Strong)]);
    let under = " ".repeat(16);
    let expected = printable(&failure.expected);
    let actual = printable(&failure.actual);
    page.wrapped("      ", &under, &[("expected  ", Tone::Faint), (&expected, Tone::Plain)]);
    page.wrapped("      ", &under, &[("actual    ", Tone::Faint), (&actual, Tone::Plain)]);
    if clients.len() > 1 && !failure.wire.is_empty() {
        let of = format!("of {}", printable(&failure.client));
        page.row(&[("      ", Tone::Plain), ("wire      ", Tone::Faint), (&of, Tone::Faint)]);
    }
    for (index, line) in failure.wire.iter().enumerate() {
        let label = if index == 0 && clients.len() == 1 { "      wire      " } else { "                " };
        wire(page, label, line);
    }
}

pub(super) fn wire(page: &mut Page, label: &str, line: &WireResult) {
    let arrow = if line.sent { " → " } else { " ← " };
    let at = format!("{:.3} s", line.at_us as f64 / 1e6);
    page.row(&[
        (label, Tone::Faint),
        (&at, Tone::Faint),
        (arrow, Tone::Faint),
        (&printable(&line.text), Tone::Plain),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_clients_that_failed_alike_the_first_who_has_frames_shows_them() {
        let wire = |text: &str| WireResult { at_us: 1, sent: true, text: text.to_owned() };
        let failure = |n: u32, wire: Vec<WireResult>| FailureResult {
            client: format!("crowd {n}"),
            expected: "an answer".to_owned(),
            actual: "silence".to_owned(),
            wire,
        };
        let failures = [
            failure(900, vec![]),
            failure(7, vec![wire("7")]),
            failure(7, vec![]),
            failure(3, vec![wire("3")]),
        ];
        let [(clients, shown)] = &alike(&failures)[..] else { panic!("they are alike") };
        assert_eq!(clients[..], ["crowd 900", "crowd 7", "crowd 3"]);
        assert_eq!((&*shown.client, &*shown.wire[0].text), ("crowd 7", "7"));
    }
}
