//! How long things took: percentile curves, the phases of a connect, and the table of every series.

use std::time::Duration;

use maud::{Markup, html};

use crate::measure::format::{self, count, counted, printable};
use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::result::MetricResult;

use super::chart::scale::{Scale, Unit};
use super::chart::{Chart, Limit, Line, Stroke, number, range};
use super::head::{demand, is_about};
use super::page::Column::{Drawn, Figure, Words};
use super::page::{Caption, Column, Place, Table};
use super::thresholds::limit;

/// The series that are drawn, the most telling first, with their colours.
const DRAWN: [(Metric, usize); 9] = [
    (Metric::Delivery, 1),
    (Metric::Ack, 2),
    (Metric::AckService, 5),
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

/// Fewer values are told by the table.
const LEAST_COUNT: u64 = 20;

/// So many places across a percentile curve are told apart.
const PLACES: f64 = 220.0;

/// Curves, waterfall and table, where anything was timed.
pub(super) fn render(
    run: &RunResult,
    place: Place<'_>,
    draw: &mut dyn FnMut(Chart) -> Markup,
) -> Option<Markup> {
    if run.metrics.is_empty() {
        return None;
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
    let title = "Latency by percentile";
    let about = "To the right of p99 lies the slowest of a hundred.";
    let curves = percentiles(&place.name("percentiles"), title, about, lines, limits, draw);
    Some(html! {
        (super::course::doubts(run).unwrap_or_default())
        @if let Some(curves) = &curves { (curves) }
        (waterfall(run, place).unwrap_or_default())
        (fan_out(run, place).unwrap_or_default())
        (place.head("Every series"))
        (table("Every latency series", &run.metrics))
        @for part in run.parts.iter().filter(|part| !part.metrics.is_empty()) {
            (place.head(&format!("Of {} alone", part.name)))
            (table(&format!("Latency series of {}", part.name), &part.metrics))
        }
    })
}

/// The same curves over two vertical scales, one of which is shown: no script is needed to choose.
pub(crate) fn percentiles(
    id: &str,
    title: &str,
    about: &str,
    lines: Vec<Line>,
    limits: Vec<Limit>,
    draw: &mut dyn FnMut(Chart) -> Markup,
) -> Option<Markup> {
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
        height: 260,
    };
    let logarithmic = draw(chart("log", Scale::around(least, highest)));
    let linear = draw(chart("linear", Scale::up_to(highest)));
    Some(html! {
        fieldset.scales {
            legend.quiet { "Scale of the latency" }
            label { input type="radio" name={ (id) "-scale" } value="log" checked; " logarithmic" }
            label { input type="radio" name={ (id) "-scale" } value="linear"; " linear" }
            div.log { (logarithmic) }
            div.linear { (linear) }
        }
    })
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
fn waterfall(run: &RunResult, place: Place<'_>) -> Option<Markup> {
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
    let mut from = 0.0;
    let rows: Vec<Markup> = phases
        .iter()
        .map(|(words, colour, metric)| {
            let (start, width) = (from / all * 100.0, median(metric) / all * 100.0);
            from += median(metric);
            html! {
                tr {
                    th scope="row" { (words) }
                    td.drawn { (bar(start, width, *colour)) }
                    td.figure { (percentile(metric, metric.p50_us, 2)) }
                    td.drawn { (bar(0.0, slow(metric) / slowest * 100.0, *colour)) }
                    td.figure { (percentile(metric, metric.p99_us, 100)) }
                    td.figure { (count(metric.count)) }
                }
            }
        })
        .collect();
    let whole = run.metric(Metric::Connect);
    let table = Table {
        label: "The phases of a connect",
        class: Some("waterfall"),
        caption: Caption::Quiet(
            "Medians one behind the other, and beside each the time that one in a hundred took longer than",
        ),
        columns: &[
            Words("Phase"),
            Drawn("median"),
            Figure("p50"),
            Drawn("slowest"),
            Figure("p99"),
            Figure("count"),
        ],
    };
    Some(html! {
        (place.head("What a connect is made of"))
        (table.of(&html! {
            @for row in &rows { (row) }
            @if let Some(whole) = whole {
                tr.sum {
                    th scope="row" { "From due to connected" }
                    td.drawn {} td.figure { (percentile(whole, whole.p50_us, 2)) }
                    td.drawn {} td.figure { (percentile(whole, whole.p99_us, 100)) }
                    td.figure { (count(whole.count)) }
                }
            }
        }))
    })
}

/// How long a message takes to its first receiver and to its last.
fn fan_out(run: &RunResult, place: Place<'_>) -> Option<Markup> {
    let (first, last) = (run.metric(Metric::FanoutFirst)?, run.metric(Metric::FanoutLast)?);
    let value = |micros: Option<u64>, metric: &MetricResult| micros.unwrap_or(metric.max_us) as f64;
    let end = value(last.p99_us, last).max(1.0);
    let row = |words: &str, from: Option<u64>, to: Option<u64>, least: u64| {
        let (start, stop) = (value(from, first) / end * 100.0, value(to, last) / end * 100.0);
        html! {
            tr {
                th scope="row" { (words) }
                td.figure { (percentile(first, from, least)) }
                td.drawn { (bar(start, (stop - start).max(0.5), 3)) }
                td.figure { (percentile(last, to, least)) }
            }
        }
    };
    let messages = counted(last.count, "message");
    let remark =
        format!("How long it took until one had a message, and until everybody had it, of {messages}");
    let table = Table {
        label: "Fan-out",
        class: Some("waterfall"),
        caption: Caption::Quiet(&remark),
        columns: &[Words("Percentile"), Figure("first"), Drawn("between"), Figure("last")],
    };
    Some(html! {
        (place.head("From the first receiver to the last"))
        (table.of(&html! {
            (row("p50", first.p50_us, last.p50_us, 2))
            (row("p90", first.p90_us, last.p90_us, 10))
            (row("p99", first.p99_us, last.p99_us, 100))
        }))
    })
}

fn bar(from: f64, width: f64, colour: usize) -> Markup {
    html! {
        svg.bar width="100%" height="12" aria-hidden="true" {
            rect.rail x="0" y="5" width="100%" height="2" {}
            rect class={ "part c" (colour) } x={ (number(from, 2)) "%" } width={ (number(width.max(0.4), 2)) "%" } y="1" height="10" rx="1.5" {}
        }
    }
}

/// Series with their figures.
fn table(label: &str, metrics: &[MetricResult]) -> Markup {
    let beyond: u64 = metrics.iter().map(|metric| metric.overflow).sum();
    let figures = ["count", "least", "mean", "p50", "p90", "p99", "p99.9", "greatest"].map(Figure);
    let columns: Vec<Column<'_>> = [Words("Series")].into_iter().chain(figures).collect();
    let caption = Caption::Quiet("A percentile is left out where not one value lies beyond it");
    let table = Table { label, class: Some("metrics"), caption, columns: &columns };
    html! {
        (table.of(&html! {
            @for metric in metrics {
                tr class=[is_part(metric, metrics).then_some("part")] {
                    th scope="row" { (printable(&metric.name)) }
                    td.figure { (count(metric.count)) }
                    td.figure { (measured(metric.min_us)) }
                    td.figure { (measured(metric.mean_us)) }
                    td.figure { (percentile(metric, metric.p50_us, 2)) }
                    td.figure { (percentile(metric, metric.p90_us, 10)) }
                    td.figure { (percentile(metric, metric.p99_us, 100)) }
                    td.figure { (percentile(metric, metric.p999_us, 1000)) }
                    td.figure { (measured(metric.max_us)) }
                }
            }
        }))
        @if beyond > 0 {
            p.quiet { (counted(beyond, "value")) " beyond 2 min: in the counts and among the greatest, without a bucket of their own." }
        }
    }
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
