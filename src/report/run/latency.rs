//! How long things took: percentile curves, the table of every series, the phases of a connect, and the fan-out.

use std::time::Duration;

use maud::{Markup, html};

use crate::measure::format::{self, count, counted};
use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::block::{
    Bars, Block, Cell, Charts, Column, Detail, Rank, Row, Table, Text, cell, drawn, part,
};
use crate::report::chart::event::Events;
use crate::report::chart::scale::{Scale, Unit};
use crate::report::chart::{Chart, Limit, Line, Stroke, number, range};
use crate::report::course::clocks_apart;
use crate::report::result::MetricResult;

use super::head::{demand, is_about};
use super::thresholds::limit;

/// The series that are drawn, the most telling first, with their colours.
const DRAWN: [(Metric, usize); 11] = [
    (Metric::Delivery, 1),
    (Metric::Ack, 2),
    (Metric::AckService, 5),
    (Metric::Response, 3),
    (Metric::ResponseService, 8),
    (Metric::FanoutFirst, 6),
    (Metric::FanoutLast, 3),
    (Metric::Connect, 4),
    (Metric::Upgrade, 8),
    (Metric::Reconnect, 6),
    (Metric::Lag, 7),
];

/// The phases of a connect, in their order.
const PHASES: [(Metric, &str, usize); 5] = [
    (Metric::ConnectTcp, "TCP", 1),
    (Metric::ConnectTls, "TLS", 4),
    (Metric::ConnectHandshake, "HTTP handshake", 2),
    (Metric::ConnectOpen, "Engine.IO open", 3),
    (Metric::ConnectNamespace, "Socket.IO namespace", 6),
];

/// Of fewer values there are only the figures of the table.
const LEAST_COUNT: u64 = 20;

/// The number of points of a percentile curve.
const PLACES: f64 = 220.0;

/// Curves and tables, where anything was timed.
pub(super) fn blocks(run: &RunResult, id: &str) -> Vec<Block> {
    if run.metrics.is_empty() {
        return Vec::new();
    }
    let lines: Vec<Line> = DRAWN
        .into_iter()
        .filter_map(|(metric, colour)| {
            let stroke = if metric == Metric::Lag { Stroke::Dotted } else { Stroke::Solid };
            let points = curve(run.metric(metric)?)?;
            Some(Line { name: metric.name().to_owned(), colour, stroke, points })
        })
        .collect();
    let limits: Vec<Limit> = run
        .thresholds
        .iter()
        .filter_map(|threshold| {
            let name = &lines.iter().find(|line| is_about(threshold, &line.name))?.name;
            let label = format!("{name} {}", demand(threshold, name));
            Some(limit(threshold, label))
        })
        .collect();
    let (title, about) = ("Latency by percentile", "To the right of p99 are the slowest 1 % of all values.");
    let mut blocks: Vec<Block> =
        percentiles(&format!("{id}-percentiles"), title, about, lines, limits).into_iter().collect();
    blocks.push(Block::Table(table("Every latency series", &run.metrics, clocks(run))));
    let beyond: u64 = run.metrics.iter().map(|metric| metric.overflow).sum();
    if beyond > 0 {
        let values = counted(beyond, "value");
        let words = format!("{values} beyond 2 min: in the counts and the maxima, in no percentile.");
        blocks.push(Block::Paragraph(Text::default().quiet(words)));
    }
    let parts = run.parts.iter().filter(|part| !part.metrics.is_empty()).map(|of| {
        part(
            format!("Of {} alone", of.name),
            vec![Block::Table(table(&format!("Latency series of {}", of.name), &of.metrics, clocks(run)))],
        )
    });
    let more = parts.chain(waterfall(run)).chain(fan_out(run)).collect();
    blocks.push(Block::From(Detail::Everything, more));
    blocks
}

/// How the values that matter most are distributed.
pub(super) fn bars(run: &RunResult) -> Vec<Block> {
    let bars = |metric: Metric| {
        let (name, metric) = (metric.name(), run.metric(metric)?);
        // A stored histogram that was damaged is left out: the table still has its figures.
        let series = metric.series().ok().filter(|_| metric.count >= LEAST_COUNT)?;
        let marks = [("p50", metric.p50_us, 2), ("p90", metric.p90_us, 10), ("p99", metric.p99_us, 100)];
        let known = marks.into_iter().filter(|(_, _, least)| metric.count >= *least);
        Some(Block::Bars(Bars {
            title: format!("{name}, {}", counted(metric.count, "value")),
            buckets: series.buckets().map(|(value, count)| (value.as_micros() as u64, count)).collect(),
            overflow: metric.overflow,
            marks: known.filter_map(|(name, micros, _)| Some((name, micros?))).collect(),
        }))
    };
    [Metric::Connect, Metric::Ack, Metric::Response, Metric::Delivery].into_iter().filter_map(bars).collect()
}

/// The same curves over two vertical scales, one of which is shown: no script is needed to choose.
pub(crate) fn percentiles(
    id: &str,
    title: &str,
    about: &str,
    lines: Vec<Line>,
    limits: Vec<Limit>,
) -> Option<Block> {
    let (least, greatest) = range(&lines)?;
    let limit = limits.iter().map(|limit| limit.at).fold(0.0, f64::max);
    let highest = if limit < 4.0 * greatest { greatest.max(limit) } else { greatest };
    let last = lines.iter().filter_map(|line| line.points.last()).map(|(x, _)| *x).fold(1.0, f64::max);
    let chart = |name: &str, scale| Chart {
        id: format!("{id}-{name}"),
        title: title.to_owned(),
        about: about.to_owned(),
        x: (Scale::Linear { from: 0.0, to: last }, Unit::Nines),
        y: (scale, Unit::Micros),
        lines: lines.clone(),
        limits: limits.clone(),
        bands: Vec::new(),
        events: Events::default(),
        height: 260,
    };
    let both = [chart("log", Scale::around(least, highest)), chart("linear", Scale::up_to(highest))];
    Some(Block::Charts(Charts::Scales(id.to_owned(), Box::new(both))))
}

/// The percentile curve of a series: ranks as the number of nines, and the value there. None of few values, or if its
/// histogram is damaged.
pub(crate) fn curve(metric: &MetricResult) -> Option<Vec<(f64, Option<f64>)>> {
    if metric.count < LEAST_COUNT {
        return None;
    }
    let series = metric.series().ok()?;
    let all = metric.count as f64;
    // The last of a thousand is drawn halfway to the end of the scale, which it would never reach.
    let nines = |rank: f64| -((1.0 - (rank - 0.5).max(0.0) / all).log10());
    let step = nines(all).max(1e-9) / PLACES;
    let mut points: Vec<(f64, Option<f64>)> = Vec::new();
    let mut rank = 0.0;
    for (value, number) in series.buckets() {
        let value = Some(value.as_micros() as f64);
        let first = nines(rank + 1.0);
        rank += number as f64;
        let last = nines(rank);
        // A bucket of many is a level stretch.
        for place in [first, last] {
            match points.last_mut() {
                Some(before) if place - before.0 < step => before.1 = value,
                _ => points.push((place, value)),
            }
        }
    }
    // Those beyond the histogram have no value, but their rank.
    (!points.is_empty()).then_some(points)
}

/// The phases of a connect, one behind the other, by their medians.
fn waterfall(run: &RunResult) -> Option<Block> {
    let phases: Vec<(&str, usize, &MetricResult)> = PHASES
        .into_iter()
        .filter_map(|(metric, words, colour)| Some((words, colour, run.metric(metric)?)))
        .collect();
    if phases.is_empty() {
        return None;
    }
    let median = |metric: &MetricResult| metric.p50_us.unwrap_or(metric.max_us) as f64;
    let slow = |metric: &MetricResult| metric.p99_us.unwrap_or(metric.max_us) as f64;
    let all: f64 = phases.iter().map(|(_, _, metric)| median(metric)).sum::<f64>().max(1.0);
    let slowest = phases.iter().map(|(_, _, metric)| slow(metric)).fold(1.0, f64::max);
    let row = |words: &str, metric: &MetricResult, drawings: [Cell; 2]| {
        let [first, second] = drawings;
        let p50 = cell(percentile(metric, metric.p50_us, 2));
        let p99 = cell(percentile(metric, metric.p99_us, 100));
        Row::new([cell(words), first, p50, second, p99, cell(count(metric.count))])
    };
    let mut from = 0.0;
    let mut rows = Vec::new();
    for (words, colour, metric) in phases {
        let (start, width) = (from / all * 100.0, median(metric) / all * 100.0);
        from += median(metric);
        let drawings = [bar(start, width, colour), bar(0.0, slow(metric) / slowest * 100.0, colour)];
        rows.push(row(words, metric, drawings.map(drawn)));
    }
    if let Some(whole) = run.metric(Metric::Connect) {
        rows.push(row("from due to connected", whole, [Cell::default(), Cell::default()]).rank(Rank::Sum));
    }
    let columns = vec![
        Column::words("Phase"),
        Column::drawings("median"),
        Column::figures("p50"),
        Column::drawings("slowest"),
        Column::figures("p99"),
        Column::figures("count"),
    ];
    let table = Table::new("The phases of a connect", columns)
        .class("waterfall")
        .remark("Medians one behind the other; beside each, the time that 1 % of the connects exceeded")
        .rows(rows);
    Some(part("Phases of a connect", vec![Block::Table(table)]))
}

/// How long a message takes to its first receiver and to its last.
fn fan_out(run: &RunResult) -> Option<Block> {
    let (first, last) = (run.metric(Metric::FanoutFirst)?, run.metric(Metric::FanoutLast)?);
    let value = |micros: Option<u64>, metric: &MetricResult| micros.unwrap_or(metric.max_us) as f64;
    let end = value(last.p99_us, last).max(1.0);
    let row = |words: &str, from: Option<u64>, to: Option<u64>, least: u64| {
        let (start, stop) = (value(from, first) / end * 100.0, value(to, last) / end * 100.0);
        let drawing = drawn(bar(start, (stop - start).max(0.5), 3));
        Row::new([
            cell(words),
            cell(percentile(first, from, least)),
            drawing,
            cell(percentile(last, to, least)),
        ])
    };
    let columns = vec![
        Column::words("Percentile"),
        Column::figures("first"),
        Column::drawings("between"),
        Column::figures("last"),
    ];
    let messages = counted(last.count, "message");
    let table = Table::new("Fan-out", columns)
        .class("waterfall")
        .remark(format!(
            "The time until the first receiver had a message, and until all had it, of {messages}"
        ))
        .rows([
            row("p50", first.p50_us, last.p50_us, 2),
            row("p90", first.p90_us, last.p90_us, 10),
            row("p99", first.p99_us, last.p99_us, 100),
        ]);
    Some(part("From the first receiver to the last", vec![Block::Table(table)]))
}

fn bar(from: f64, width: f64, colour: usize) -> Markup {
    html! {
        svg.bar width="100%" height="12" aria-hidden="true" {
            rect.rail x="0" y="5" width="100%" height="2" {}
            rect class={ "part c" (colour) } x={ (number(from, 2)) "%" } width={ (number(width.max(0.4), 2)) "%" } y="1" height="10" rx="1.5" {}
        }
    }
}

/// How far a delivery between two agents may be from the truth, because their clocks are apart. None where one machine timed it.
fn clocks(run: &RunResult) -> Option<Duration> {
    clocks_apart(run.agents.iter().map(|agent| Duration::from_micros(agent.clock_doubt_us)))
}

/// Whether two clients have timed it, who may be on two machines.
fn is_of_two(metric: &MetricResult) -> bool {
    [Metric::Delivery, Metric::FanoutFirst, Metric::FanoutLast]
        .iter()
        .any(|of_two| of_two.name() == metric.name)
}

/// Series with their figures. `clocks` as of [`clocks()`].
fn table(label: &str, metrics: &[MetricResult], clocks: Option<Duration>) -> Table {
    let mut columns = vec![Column::words("Series")];
    columns.extend(
        ["p50", "p90", "p99", "p99.9", "max", "count"]
            .into_iter()
            .zip([0, 6, 0, 4, 0, 5])
            .map(|(head, spare)| Column::figures(head).spare(spare)),
    );
    let full = |head: &str| Column::figures(head).from(Detail::Everything).spare(7);
    columns.extend([full("min"), full("mean")]);
    let row = |metric: &MetricResult| {
        let name = match clocks.filter(|_| is_of_two(metric)) {
            Some(apart) => format!("{} ± {}", metric.name, format::measured(apart)),
            None => metric.name.clone(),
        };
        let row = Row::of([
            name,
            percentile(metric, metric.p50_us, 2),
            percentile(metric, metric.p90_us, 10),
            percentile(metric, metric.p99_us, 100),
            percentile(metric, metric.p999_us, 1000),
            measured(metric.max_us),
            count(metric.count),
            measured(metric.min_us),
            measured(metric.mean_us),
        ]);
        match is_part(metric, metrics) {
            true => row.rank(Rank::Part).from(Detail::Usual),
            false => row,
        }
    };
    Table::new(label, columns)
        .remark("A percentile is left out where no value is beyond it")
        .class("metrics")
        .rows(metrics.iter().map(row))
}

/// Whether a series is a part of another beside it: `connect.tcp` of `connect`.
fn is_part(metric: &MetricResult, metrics: &[MetricResult]) -> bool {
    metric.name.split_once('.').is_some_and(|(whole, _)| metrics.iter().any(|other| other.name == whole))
}

/// The percentile, or a dash where it would only repeat the greatest value.
pub(super) fn percentile(metric: &MetricResult, micros: Option<u64>, least_count: u64) -> String {
    match micros {
        _ if metric.count < least_count => "–".to_owned(),
        Some(micros) => measured(micros),
        None => "> 2 min".to_owned(),
    }
}

fn measured(micros: u64) -> String {
    format::measured(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Series;

    #[test]
    fn a_percentile_curve_goes_through_its_percentiles() {
        let mut series = Series::new();
        (1..=1000).for_each(|n| series.record(Duration::from_millis(n)));
        let metric = MetricResult::of("ack", &series).expect("it has values");
        let curve = curve(&metric).expect("it was encoded here");
        assert!(curve.len() < 500, "{} points", curve.len());
        assert!(
            curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1),
            "it only rises"
        );
        for (nines, millis) in [(1.0, 900.0), (2.0, 990.0)] {
            let (_, value) = curve.iter().find(|(x, _)| *x >= nines - 0.02).expect("there is a point");
            let value = value.expect("it has a value") / 1000.0;
            assert!((value - millis).abs() < 12.0, "at {nines} nines: {value}");
        }
        assert!(curve.last().is_some_and(|(x, _)| *x > 3.0), "the last of a thousand lies beyond p99.9");
    }

    #[test]
    fn a_damaged_histogram_draws_nothing() {
        let mut series = Series::new();
        (1..100).for_each(|n| series.record(Duration::from_millis(n)));
        let metric = MetricResult::of("ack", &series).expect("it has values");
        assert!(curve(&metric).is_some());
        assert_eq!(curve(&MetricResult { histogram: "nonsense".to_owned(), ..metric }), None);
    }
}
