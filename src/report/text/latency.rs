//! The table of percentiles.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::measure::format::{self, count, counted, printable};
use crate::report::result::MetricResult;

use super::layout::{self, Page, Tone};

/// One column: its heading and what stands in it.
type Column = (&'static str, fn(&MetricResult) -> String);

const COLUMNS: [Column; 6] = [
    ("p50", |metric| percentile(metric, metric.p50_us, 2)),
    ("p90", |metric| percentile(metric, metric.p90_us, 10)),
    ("p99", |metric| percentile(metric, metric.p99_us, 100)),
    ("p99.9", |metric| percentile(metric, metric.p999_us, 1000)),
    ("max", |metric| format::measured(Duration::from_micros(metric.max_us))),
    ("count", |metric| count(metric.count)),
];

/// Which columns may go, in this order, when the page is narrow.
const DISPENSABLE: [&str; 3] = ["p90", "count", "p99.9"];

pub(super) fn render(page: &mut Page, metrics: &[MetricResult]) {
    if metrics.is_empty() {
        return;
    }
    page.heading("Latency");
    let mut columns = COLUMNS.to_vec();
    let mut dispensable = DISPENSABLE.iter();
    let lines = loop {
        let lines = table(metrics, &columns, if page.width() < 70 { 1 } else { 2 });
        let widest = lines.iter().map(|line| layout::columns(line)).max().unwrap_or(0);
        if widest <= page.width() {
            break lines;
        }
        match dispensable.next() {
            Some(name) => columns.retain(|(heading, _)| heading != name),
            None => break lines,
        }
    };
    for (index, line) in lines.iter().enumerate() {
        page.row(&[(line, if index == 0 { Tone::Faint } else { Tone::Plain })]);
    }
    let overflow: u64 = metrics.iter().map(|metric| metric.overflow).sum();
    if overflow > 0 {
        let values = counted(overflow, "value");
        let note =
            format!("{values} beyond 2 min: in the counts and the maxima, without a bucket of their own");
        page.wrapped("  ", "  ", &[(&note, Tone::Faint)]);
    }
}

fn table(metrics: &[MetricResult], columns: &[Column], gap: u16) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let head = std::iter::once(String::new()).chain(columns.iter().map(|(heading, _)| (*heading).to_owned()));
    table.set_header(head);
    for metric in metrics {
        let cells = columns.iter().map(|(_, cell)| cell(metric));
        table.add_row(std::iter::once(name(metric, metrics)).chain(cells));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let (left, alignment) =
            if index == 0 { (2, CellAlignment::Left) } else { (gap, CellAlignment::Right) };
        column.set_padding((left, 0));
        column.set_cell_alignment(alignment);
    }
    table.lines().collect()
}

/// `connect.tcp` becomes `  tcp` under `connect`.
fn name(metric: &MetricResult, metrics: &[MetricResult]) -> String {
    let name = printable(&metric.name);
    match name.split_once('.') {
        Some((of, part)) if metrics.iter().any(|metric| metric.name == of) => format!("  {part}"),
        _ => name,
    }
}

/// The percentile, or a dash where it would only repeat the greatest value.
fn percentile(metric: &MetricResult, micros: Option<u64>, least_count: u64) -> String {
    match micros {
        _ if metric.count < least_count => "–".to_owned(),
        Some(micros) => format::measured(Duration::from_micros(micros)),
        None => "> 2 min".to_owned(),
    }
}
