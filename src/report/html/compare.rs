//! Runs of one scenario laid over each other: percentile curves, latencies and connections over time.

use maud::{Markup, html};
use serde_json::Value;

use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::course::Course;
use crate::report::result::MetricResult;

use super::chart::scale::{Scale, Unit};
use super::chart::{Chart, Line, Stroke, range};
use super::course::{Points, end, level, line, measured, quantile};
use super::latency::{curve, percentile, percentiles};
use super::page::Column::{Figure, Words};
use super::page::{Caption, Section, Table};
use super::{course, head};

/// So many runs can be told apart by colour.
const MOST: usize = 8;

/// What each run is called: its scenario, its server where servers differ, and a number where nothing else does.
pub(super) fn names(runs: &[RunResult]) -> Vec<String> {
    let parts = |run: &RunResult| {
        let overrides = run.scenario.overrides.join(" ");
        [run.scenario.name.clone(), head::server(&run.target), overrides]
    };
    let all: Vec<[String; 3]> = runs.iter().map(parts).collect();
    let mut names: Vec<String> = all.iter().map(|parts| parts[0].clone()).collect();
    for (name, parts) in names.iter_mut().zip(&all) {
        for part in 1..3 {
            let is_telling = all.iter().any(|other| other[0] == parts[0] && other[part] != parts[part]);
            if is_telling && !parts[part].is_empty() {
                name.push_str(&format!(" · {}", parts[part]));
            }
        }
    }
    let bare = names.clone();
    for (index, name) in names.iter_mut().enumerate() {
        if bare.iter().filter(|other| *other == &bare[index]).count() > 1 {
            let number = bare[..=index].iter().filter(|other| *other == &bare[index]).count();
            name.push_str(&format!(" · {number}"));
        }
    }
    names
}

/// A section for each scenario that was played more than once.
pub(super) fn render(runs: &[RunResult], names: &[String], charts: &mut Vec<Value>) -> Vec<Section> {
    let mut scenarios: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        match scenarios.iter_mut().find(|(name, _)| *name == run.scenario.name) {
            Some((_, indices)) => indices.push(index),
            None => scenarios.push((&run.scenario.name, vec![index])),
        }
    }
    let several = scenarios.into_iter().filter(|(_, indices)| indices.len() > 1).enumerate();
    several
        .map(|(number, (scenario, indices))| {
            let chosen: Vec<(&RunResult, String)> = indices
                .iter()
                .map(|index| {
                    let short = names[*index].strip_prefix(scenario).unwrap_or(&names[*index]);
                    (&runs[*index], short.trim_start_matches(" · ").to_owned())
                })
                .collect();
            let id = format!("compared{}", number + 1);
            Section { body: compared(&chosen, &id, charts), title: format!("Compared: {scenario}"), id }
        })
        .collect()
}

fn compared(runs: &[(&RunResult, String)], id: &str, charts: &mut Vec<Value>) -> Markup {
    let mut draw = |chart: Chart| {
        charts.push(chart.data());
        chart.figure()
    };
    let left_out = runs.len().saturating_sub(MOST);
    let shown = &runs[..runs.len().min(MOST)];
    let curves: Vec<Markup> = [Metric::Delivery, Metric::Ack, Metric::Connect]
        .into_iter()
        .filter_map(|metric| {
            let name = metric.name();
            let lines = shown.iter().enumerate().filter_map(|(index, (run, label))| {
                Some(line(label, index + 1, Stroke::Solid, curve(run.metric(metric)?)?))
            });
            let (id, title) =
                (format!("{id}-{name}-percentiles"), format!("{} by percentile", head::capital(name)));
            percentiles(&id, &title, "", lines.collect(), Vec::new(), &mut draw)
        })
        .collect();
    let timed = over_time(shown, id, &mut draw);
    html! {
        @if left_out > 0 { p.quiet { "The first " (MOST) " of " (runs.len()) " runs are drawn." } }
        (table(runs))
        @for curve in &curves { (curve) }
        @if !timed.is_empty() {
            (course::tools())
            div.charts { @for chart in &timed { (chart) } }
        }
    }
}

/// What is seen of each run over time: its name, its heading, what it counts, and the column.
type Column = (&'static str, &'static str, Unit, fn(&Course) -> Points);

const COLUMNS: [Column; 4] = [
    ("delivery", "Delivery, p99 over time", Unit::Micros, |course| quantile(course, &course.delivery.p99_us)),
    ("ack", "Acknowledgement, p99 over time", Unit::Micros, |course| quantile(course, &course.ack.p99_us)),
    ("connected", "Open connections", Unit::Count, |course| level(course, &course.connected)),
    ("cpu", "Processors that the server keeps busy", Unit::Processors, |course| {
        measured(course, &course.server_cpu)
    }),
];

/// A chart for each column, with a line for each run that has it.
fn over_time(runs: &[(&RunResult, String)], id: &str, draw: &mut dyn FnMut(Chart) -> Markup) -> Vec<Markup> {
    let chart = |(name, title, unit, column): Column| {
        let lines = runs.iter().enumerate().filter_map(|(index, (run, label))| {
            Some(line(label, index + 1, Stroke::Solid, column(run.course.as_ref()?)))
        });
        let lines: Vec<Line> = lines.filter(|line| line.points.iter().any(|(_, y)| y.is_some())).collect();
        let (least, greatest) = range(&lines)?;
        let scale = Scale::fitting(unit, least, greatest);
        let to = runs.iter().filter_map(|(run, _)| run.course.as_ref()).map(end).fold(0.0, f64::max);
        Some(draw(Chart {
            id: format!("{id}-{name}"),
            title: title.to_owned(),
            about: scale.remark().to_owned(),
            x: (Scale::Linear { from: 0.0, to }, Unit::Seconds),
            y: (scale, unit),
            lines,
            limits: Vec::new(),
            bands: Vec::new(),
            height: 190,
        }))
    };
    COLUMNS.into_iter().filter_map(chart).collect()
}

/// One row for each series and percentile, one column for each run.
fn table(runs: &[(&RunResult, String)]) -> Markup {
    type Percentile = fn(&MetricResult) -> Option<u64>;
    let percentiles: [(&str, u64, Percentile); 2] =
        [("p50", 2, |metric| metric.p50_us), ("p99", 100, |metric| metric.p99_us)];
    let name = "Latencies beside each other";
    let of_runs = runs.iter().map(|(_, name)| Figure(name));
    let columns: Vec<_> = [Words("Series")].into_iter().chain(of_runs).collect();
    Table { label: name, class: None, caption: Caption::Quiet(name), columns: &columns }.of(&html! {
        @for series in [Metric::Connect, Metric::Ack, Metric::Delivery, Metric::FanoutLast, Metric::Lag] {
            @if runs.iter().any(|(run, _)| run.metric(series).is_some()) {
                @for (word, least, value) in &percentiles {
                    tr {
                        th scope="row" { (series.name()) " " (word) }
                        @for (run, _) in runs {
                            td.figure {
                                (run.metric(series).map_or_else(|| "–".to_owned(), |metric| percentile(metric, value(metric), *least)))
                            }
                        }
                    }
                }
            }
        }
    })
}
