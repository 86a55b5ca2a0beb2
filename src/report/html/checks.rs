//! The checks: failed ones in full, with the line that demanded them and the last frames; held ones in one table.

use maud::{Markup, html};

use crate::measure::format::{count, counted, printable};
use crate::report::result::{CheckResult, FailureResult, WireResult};
use crate::report::text::checks::alike;

use super::page::Column::{Figure, Words};
use super::page::{Caption, Table, Tone, sign};

/// Everything that was checked, where something was.
pub(super) fn render(checks: &[CheckResult]) -> Option<Markup> {
    if checks.is_empty() {
        return None;
    }
    let (held, failed): (Vec<&CheckResult>, Vec<&CheckResult>) =
        checks.iter().partition(|check| check.failed + check.missed == 0);
    let total: u64 = held.iter().map(|check| check.passed).sum();
    let steps = counted(held.len() as u64, if failed.is_empty() { "step" } else { "other step" });
    Some(html! {
        @for check in &failed { (self::failed(check)) }
        @if !held.is_empty() {
            details.held open[failed.is_empty() && held.len() <= 12] {
                summary { (sign(Tone::Good)) " " (counted(total, "check")) " in " (steps) " held" }
                (those_held(&held))
            }
        }
    })
}

fn those_held(held: &[&CheckResult]) -> Markup {
    let name = "Steps whose checks held";
    let columns = [Words("Step"), Words("Place"), Words("Groups"), Figure("held")];
    Table { label: name, class: None, caption: Caption::Spoken(name), columns: &columns }.of(&html! {
        @for check in held {
            tr {
                th scope="row" { (printable(&check.step)) }
                td.nowrap.quiet { (place(check)) }
                td { (printable(&check.groups.join(", "))) }
                td.figure { (count(check.passed)) }
            }
        }
    })
}

/// A step that failed, in full.
pub(crate) fn failed(check: &CheckResult) -> Markup {
    let all = counted(check.passed + check.failed, "check");
    let missed = format!("{} came to nothing", count(check.missed));
    let (tone, words) = match (check.failed, check.missed) {
        // Whether it fails the run is said by the verdict: a threshold may allow it.
        (0, _) => (Tone::Doubtful, missed),
        (failed, 0) => (Tone::Bad, format!("{} of {all} failed", count(failed))),
        (failed, _) => (Tone::Bad, format!("{} of {all} failed, {missed}", count(failed))),
    };
    let more = (check.failed + check.missed).saturating_sub(check.failures.len() as u64);
    html! {
        div class={ "finding " (tone.class()) } {
            p.what { (sign(tone)) " " strong { (printable(&check.step)) } ": " (words) }
            p.place { (place(check)) }
            @if !check.source.trim().is_empty() {
                pre.source { code { span.number { (check.line) } (printable(check.source.trim())) } }
            }
            @for (clients, failure) in alike(&check.failures) { (self::failure(&clients, failure)) }
            @if more > 0 { p.quiet { "and " (count(more)) " more" } }
        }
    }
}

fn place(check: &CheckResult) -> String {
    match check.file.is_empty() {
        true => format!("line {}", check.line),
        false => format!("{}:{}", printable(&check.file), check.line),
    }
}

fn failure(clients: &[&str], failure: &FailureResult) -> Markup {
    html! {
        dl.pair {
            dt { (if clients.len() == 1 { "client" } else { "clients" }) }
            dd { (printable(&clients.join(", "))) }
            dt { "expected" }
            dd { code { (printable(&failure.expected)) } }
            dt { "seen" }
            dd { code { (printable(&failure.actual)) } }
            @if !failure.wire.is_empty() {
                dt { "wire" @if clients.len() > 1 { " of " (printable(&failure.client)) } }
                dd { (wire(&failure.wire)) }
            }
        }
    }
}

/// Frames in their order, with the time and the direction of each.
pub(super) fn wire(frames: &[WireResult]) -> Markup {
    html! {
        ol.wire {
            @for frame in frames {
                li {
                    span.at { (format!("{:.3} s", frame.at_us as f64 / 1e6)) }
                    @match frame.sent {
                        true => { abbr title="sent by the client" { "→" } }
                        false => { abbr title="received by the client" { "←" } }
                    }
                    code { (printable(&frame.text)) }
                }
            }
        }
    }
}
