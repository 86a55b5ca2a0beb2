//! A result as text for a terminal: the verdict first, then what led to it.
//!
//! [`render`] is a function from result to text. It knows the width and whether to colour, and nothing else of
//! the terminal. Names, payloads and source lines come from servers and files: everything that a terminal would obey
//! is escaped ([`format::printable`]).

mod chart;
pub(crate) mod checks;
mod latency;
pub(crate) mod layout;
pub mod live;
mod load;
mod thresholds;

use std::time::Duration;

use crate::measure::format::{self, count, counted, printable};
use crate::observe::{Counter, Metric};
use crate::verdict::Status;

use super::RunResult;
use super::result::{CauseResult, DeliveriesResult, ErrorResult, TargetInfo, TargetKind};
use layout::{Page, Tone, listed};

/// For whom to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal. Less than 40 is taken as 40.
    pub width: u16,
    /// Whether to write ANSI colours.
    pub colour: bool,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What failed, and the summary.
    Little,
    /// What most people want to know.
    Usual,
    /// Everything that has a name: each step, case and counter.
    Everything,
}

/// The report; of what passed a line, if little is asked for.
pub fn render(result: &RunResult, look: Look, detail: Detail) -> String {
    let mut page = Page::new(look);
    if detail == Detail::Little && result.verdict.status == Status::Passed {
        let (mark, tone) = mark(result.verdict.status);
        page.row(&[(mark, tone), (" ", Tone::Plain), (&printable(&result.scenario.name), Tone::Plain)]);
        return page.finish();
    }
    verdict(&mut page, result);
    checks::render(&mut page, &result.checks, detail);
    thresholds::render(&mut page, &result.thresholds);
    if let Some(found) = &result.deliveries {
        deliveries(&mut page, found);
    }
    latency::render(&mut page, &result.metrics);
    for metric in [Metric::Connect, Metric::Ack, Metric::Delivery] {
        if let Some(metric) = result.metric(metric) {
            chart::render(&mut page, metric);
        }
    }
    connections(&mut page, result);
    errors(&mut page, &result.errors, detail);
    match detail {
        Detail::Everything => counters(&mut page, result),
        Detail::Little | Detail::Usual => traffic(&mut page, result),
    }
    load::render(&mut page, result);
    environment(&mut page, result);
    page.finish()
}

fn mark(status: Status) -> (&'static str, Tone) {
    match status {
        Status::Passed => ("✓", Tone::Good),
        Status::Failed | Status::Unreachable => ("✗", Tone::Bad),
        Status::Invalid | Status::Interrupted => ("?", Tone::Doubtful),
    }
}

fn verdict(page: &mut Page, result: &RunResult) {
    let (mark, tone) = mark(result.verdict.status);
    let head = format!("{mark} {}", result.verdict.status.name());
    let reason = format!(": {}.", printable(&result.verdict.reason));
    page.wrapped("", "  ", &[(&head, tone), (&reason, Tone::Plain)]);
    let clients: u64 = result.clients.iter().map(|entry| u64::from(entry.count)).sum();
    let mut facts = vec![printable(&result.scenario.name)];
    facts.extend(result.scenario.spec.as_deref().map(printable));
    facts.push(counted(clients, "client"));
    facts.push(format::duration(Duration::from_micros(result.duration_us)));
    page.wrapped("  ", "  ", &[(&listed(&facts), Tone::Faint)]);
    if !result.scenario.overrides.is_empty() {
        let changed = result.scenario.overrides.iter().map(|text| printable(text)).collect::<Vec<_>>();
        page.wrapped("  ", "    ", &[("changed by ", Tone::Doubtful), (&changed.join(" "), Tone::Plain)]);
    }
}

fn deliveries(page: &mut Page, found: &DeliveriesResult) {
    page.heading("Deliveries");
    let faults = found.missing + found.duplicate + found.disordered + found.leaked;
    let (mark, tone) = if faults > 0 { ("✗ ", Tone::Bad) } else { ("✓ ", Tone::Good) };
    let facts = [
        format!("of {} that had to arrive: {} missing", count(found.expected), count(found.missing)),
        format!("{} duplicate", count(found.duplicate)),
        format!("{} out of order", count(found.disordered)),
        format!("of {} that must not: {} leaked", count(found.forbidden), count(found.leaked)),
    ];
    page.wrapped("  ", "    ", &[(mark, tone), (&listed(&facts), Tone::Plain)]);
    if !found.leaks.is_empty() {
        let leaks: Vec<String> = found
            .leaks
            .iter()
            .map(|leak| format!("{} {}", count(leak.count), printable(&leak.kind)))
            .collect();
        page.wrapped("    ", "      ", &[("leaked: ", Tone::Plain), (&listed(&leaks), Tone::Plain)]);
    }
    let decided = found.expected + found.forbidden;
    let all = decided + found.undecided;
    let mut facts = vec![format!("{} judged", counted(found.messages, "message"))];
    if all > 0 {
        // Rounded down: all are decided only if all are.
        let share = format::share((decided as f64 / all as f64 * 1e4).floor() / 1e4);
        facts.push(format!("{share} of {} decided, {} not", counted(all, "pair"), count(found.undecided)));
    }
    if found.late > 0 {
        facts.push(format!("{} came late", count(found.late)));
    }
    page.wrapped("    ", "    ", &[(&listed(&facts), Tone::Faint)]);
    for offender in &found.offenders {
        page.wrapped("    ", "      ", &[(&printable(offender), Tone::Plain)]);
    }
}

/// Why connects failed and connections ended, each kind in a line with all its causes.
fn connections(page: &mut Page, result: &RunResult) {
    let kinds: Vec<&[CauseResult]> =
        result.causes.chunk_by(|one, next| one.counter == next.counter).collect();
    if kinds.is_empty() {
        return;
    }
    page.heading("Connections");
    for causes in kinds {
        let sum = causes.iter().map(|cause| cause.count).sum();
        let head = format!("{} × {}: ", count(sum), printable(&causes[0].counter));
        let causes: Vec<String> = causes
            .iter()
            .map(|cause| format!("{} {}", count(cause.count), printable(&cause.cause)))
            .collect();
        page.wrapped("  ", "    ", &[(&head, Tone::Doubtful), (&listed(&causes), Tone::Plain)]);
    }
}

fn errors(page: &mut Page, errors: &[ErrorResult], detail: Detail) {
    if errors.is_empty() {
        return;
    }
    page.heading("Troubles");
    let most = errors.iter().map(|error| count(error.count).len()).max().unwrap_or(0);
    for error in errors {
        let head = format!("{:>most$} × ", count(error.count));
        let indent = " ".repeat(most + 5);
        page.wrapped("  ", &indent, &[(&head, Tone::Doubtful), (&printable(&error.cause), Tone::Plain)]);
        for example in &error.examples {
            let text = format!("{}: {}", printable(&example.client), printable(&example.detail));
            page.wrapped(&indent, &format!("{indent}  "), &[(&text, Tone::Faint)]);
            if detail == Detail::Everything {
                example.wire.iter().for_each(|line| checks::wire(page, &indent, line));
            }
        }
    }
}

/// Everything that was counted, each by its name.
fn counters(page: &mut Page, result: &RunResult) {
    page.heading("Traffic");
    let most = result.counters.iter().map(|counter| layout::columns(&counter.name)).max().unwrap_or(0);
    for counter in &result.counters {
        let name = printable(&counter.name);
        page.row(&[(&format!("  {name:<most$}  "), Tone::Faint), (&count(counter.value), Tone::Plain)]);
    }
}

fn traffic(page: &mut Page, result: &RunResult) {
    let value = |counter: Counter| result.counter(counter);
    let mut parts = Vec::new();
    let mut part = |is_there: bool, text: String| parts.extend(is_there.then_some(text));
    let (asked, ok) = (value(Counter::ConnectAsked), value(Counter::ConnectOk));
    part(asked > 0, format!("{} of {} connects succeeded", count(ok), count(asked)));
    let dropped = value(Counter::Dropped);
    part(dropped > 0, format!("{} dropped", counted(dropped, "connection")));
    let (sent, received) = (value(Counter::Sent), value(Counter::Received));
    part(sent + received > 0, format!("{} sent, {} received", counted(sent, "event"), count(received)));
    let acks = value(Counter::AckAsked);
    part(acks > 0, format!("{} of {} acks came", count(value(Counter::AckReceived)), count(acks)));
    let (bytes_in, bytes_out) = (value(Counter::BytesIn), value(Counter::BytesOut));
    part(
        bytes_in + bytes_out > 0,
        format!("{} in, {} out", format::bytes(bytes_in), format::bytes(bytes_out)),
    );
    if !parts.is_empty() {
        page.heading("Traffic");
        page.wrapped("  ", "  ", &[(&listed(&parts), Tone::Plain)]);
    }
}

fn environment(page: &mut Page, result: &RunResult) {
    let mut facts = vec![target(&result.target)];
    facts.push(format!("sockrates {}", printable(&result.tool_version)));
    let environment = &result.environment;
    facts.push(format!("{}, {}", printable(&environment.os), counted(environment.cpus.into(), "cpu")));
    facts.push(format!("seed {}", result.scenario.seed));
    facts.push(printable(&result.started));
    page.gap();
    page.wrapped("", "", &[(&listed(&facts), Tone::Faint)]);
}

pub(crate) fn target(target: &TargetInfo) -> String {
    let url = printable(&target.url);
    let software = target.software.as_deref().map(|software| format!(" ({})", printable(software)));
    let software = software.unwrap_or_default();
    match (target.kind, &target.command) {
        (TargetKind::Bundled, _) => format!("reference server at {url}"),
        (TargetKind::Command, Some(command)) => format!("{} at {url}{software}", printable(command)),
        (TargetKind::Command | TargetKind::Url, _) => format!("{url}{software}"),
    }
}

#[cfg(test)]
mod tests;
