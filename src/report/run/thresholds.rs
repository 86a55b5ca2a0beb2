//! The thresholds: what was demanded, what was measured, and how far that is from the limit.

use maud::{Markup, html};

use crate::measure::format::{count, share};
use crate::report::RunResult;
use crate::report::block::{Block, Cell, Column, Detail, Row, Table, Text, Tone, cell, drawn};
use crate::report::chart::{Limit, number};
use crate::report::result::{OutcomeResult, ThresholdResult};

/// The table, where there is a threshold.
pub(super) fn blocks(run: &RunResult) -> Vec<Block> {
    if run.thresholds.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        Column::words("Threshold"),
        Column::words("outcome").spare(1),
        Column::figures("measured"),
        Column::figures("limit").from(Detail::Everything).spare(3),
        Column::drawings("of the limit"),
        Column::words("margin"),
        Column::figures("samples").from(Detail::Everything).spare(4),
        Column::figures("needed").from(Detail::Everything).spare(4),
    ];
    let table = Table::new("Thresholds", columns)
        .remark("What the scenario demands of the whole run")
        .class("thresholds")
        .rows(run.thresholds.iter().map(|threshold| row(run, threshold)));
    vec![Block::Table(table)]
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

fn row(run: &RunResult, threshold: &ThresholdResult) -> Row {
    let (tone, word) = match run.not_judged_by(threshold) {
        Some(_) => (Tone::Doubtful, "not judged"),
        None => outcome(threshold),
    };
    let line = if threshold.line > 0 { format!("line {}", threshold.line) } else { String::new() };
    Row::new([
        cell(Text::default().sign(tone).code(&*threshold.text)).note(line),
        cell(word),
        cell(&*threshold.value_text),
        cell(&*threshold.limit_text),
        gauge(threshold, tone),
        cell(Text::default().quiet(margin(threshold))),
        cell(count(threshold.samples)),
        cell(count(threshold.samples_needed)),
    ])
}

/// The value as a part of the limit: a bar with a mark where the limit is, and the same in a figure.
fn gauge(threshold: &ThresholdResult, tone: Tone) -> Cell {
    let part = threshold.value.filter(|_| threshold.limit > 0.0).map(|value| value / threshold.limit);
    drawn(part.map_or_else(|| html! { span.quiet { "–" } }, |part| bar(part, tone)))
}

fn bar(part: f64, tone: Tone) -> Markup {
    // The limit is at two thirds, so that half as much again is still inside.
    let width = number((part * 200.0 / 3.0).clamp(0.6, 100.0), 1);
    html! {
        span.gauge {
            svg.bar width="96" height="12" aria-hidden="true" {
                rect.rail x="0" y="4" width="100%" height="4" rx="2" {}
                rect class={ "fill " (tone.class()) } x="0" y="4" width={ (width) "%" } height="4" rx="2" {}
                line.stop x1="66.6%" x2="66.6%" y1="0" y2="12" {}
            }
            " " span.figure { (share(part)) }
        }
    }
}

fn margin(threshold: &ThresholdResult) -> String {
    let distance = |value: f64| share(((value - threshold.limit) / threshold.limit).abs());
    match (threshold.outcome, threshold.value) {
        (OutcomeResult::TooFew, _) => {
            format!("{} of {} samples", count(threshold.samples), count(threshold.samples_needed))
        }
        (OutcomeResult::NoData, _) | (_, None) => String::new(),
        (_, Some(_)) if threshold.limit == 0.0 => String::new(),
        (OutcomeResult::Met, Some(value)) => format!("{} to spare", distance(value)),
        (OutcomeResult::Missed, Some(value)) if value >= 2.0 * threshold.limit => {
            format!("{} times the limit", count((value / threshold.limit).round() as u64))
        }
        (OutcomeResult::Missed, Some(value)) => format!("{} beyond the limit", distance(value)),
    }
}
