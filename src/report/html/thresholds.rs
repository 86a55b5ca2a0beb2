//! The thresholds: what was asked, what was measured, and how far it is from the limit.

use maud::{Markup, html};

use crate::measure::format::{self, count, printable};
use crate::report::RunResult;
use crate::report::result::{OutcomeResult, ThresholdResult};

use super::chart::Limit;
use super::page::Column::{Figure, Words};
use super::page::{Caption, Table, Tone, sign};

/// The table, where there is a threshold.
pub(super) fn render(run: &RunResult) -> Option<Markup> {
    if run.thresholds.is_empty() {
        return None;
    }
    let table = Table {
        label: "Thresholds",
        class: Some("thresholds"),
        caption: Caption::Quiet("What the scenario asks of the whole run"),
        columns: &[
            Words("Threshold"),
            Words("Outcome"),
            Figure("measured"),
            Figure("limit"),
            Words("of the limit"),
            Figure("samples"),
            Figure("needed"),
        ],
    };
    Some(table.of(&html! { @for threshold in &run.thresholds { (row(threshold)) } }))
}

/// The limit of a threshold, to be drawn into a chart.
pub(super) fn limit(threshold: &ThresholdResult, label: String) -> Limit {
    let (tone, outcome) = outcome(threshold);
    Limit { at: threshold.limit, label, outcome, tone }
}

fn outcome(threshold: &ThresholdResult) -> (Tone, &'static str) {
    match threshold.outcome {
        OutcomeResult::Met => (Tone::Good, "met"),
        OutcomeResult::Missed => (Tone::Bad, "not met"),
        OutcomeResult::NoData => (Tone::Bad, "no data"),
        OutcomeResult::TooFew => (Tone::Doubtful, "too few samples"),
    }
}

fn row(threshold: &ThresholdResult) -> Markup {
    let (tone, word) = outcome(threshold);
    html! {
        tr {
            th scope="row" { code { (printable(&threshold.text)) } @if threshold.line > 0 { span.quiet { " line " (threshold.line) } } }
            td.nowrap { (sign(tone)) " " (word) }
            td.figure { (printable(&threshold.value_text)) }
            td.figure { (printable(&threshold.limit_text)) }
            td { (gauge(threshold, tone)) }
            td.figure { (count(threshold.samples)) }
            td.figure { (count(threshold.samples_needed)) }
        }
    }
}

/// The value as a part of the limit: a bar with a mark where the limit lies, and the same in a figure.
fn gauge(threshold: &ThresholdResult, tone: Tone) -> Markup {
    let Some(part) = threshold.value.filter(|_| threshold.limit > 0.0).map(|value| value / threshold.limit)
    else {
        return html! { span.quiet { "–" } };
    };
    // The limit lies at two thirds, so that half as much again is still inside.
    let bar = (part * 200.0 / 3.0).clamp(0.6, 100.0);
    html! {
        span.gauge {
            svg.bar width="96" height="12" aria-hidden="true" {
                rect.rail x="0" y="4" width="100%" height="4" rx="2" {}
                rect class={ "fill " (tone.class()) } x="0" y="4" width={ (super::chart::number(bar, 1)) "%" } height="4" rx="2" {}
                line.stop x1="66.6%" x2="66.6%" y1="0" y2="12" {}
            }
            " " span.figure { (format::share(part)) }
        }
    }
}
