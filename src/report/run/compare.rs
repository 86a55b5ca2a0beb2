//! Runs of one scenario laid over each other: percentile curves, latencies and connections over time.

use crate::measure::format::capital;
use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::block::{Block, Charts, Column, Detail, Row, Table, hint, section};
use crate::report::chart::event::Events;
use crate::report::chart::scale::{Scale, Unit};
use crate::report::chart::{Chart, Line, Stroke, line, range};
use crate::report::course::Course;
use crate::report::result::MetricResult;

use super::course::{Points, end, level, measured, quantile};
use super::head;
use super::latency::{curve, percentile, percentiles};

/// This number of runs can be distinguished by colour.
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
pub(super) fn sections(runs: &[RunResult], names: &[String]) -> Vec<Block> {
    let mut scenarios: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        match scenarios.iter_mut().find(|(name, _)| *name == run.scenario.name) {
            Some((_, indices)) => indices.push(index),
            None => scenarios.push((&run.scenario.name, vec![index])),
        }
    }
    let several = scenarios.into_iter().filter(|(_, indices)| indices.len() > 1).enumerate();
    several
        .filter_map(|(number, (scenario, indices))| {
            let chosen: Vec<(&RunResult, String)> = indices
                .iter()
                .map(|index| {
                    let short = names[*index].strip_prefix(scenario).unwrap_or(&names[*index]);
                    (&runs[*index], short.trim_start_matches(" · ").to_owned())
                })
                .collect();
            let id = format!("compared{}", number + 1);
            section(&*id, format!("Compared: {scenario}"), compared(&chosen, &id))
        })
        .collect()
}

fn compared(runs: &[(&RunResult, String)], id: &str) -> Vec<Block> {
    let shown = &runs[..runs.len().min(MOST)];
    let curves =
        [Metric::Delivery, Metric::Response, Metric::Ack, Metric::Connect].into_iter().filter_map(|metric| {
            let name = metric.name();
            let lines = shown.iter().enumerate().filter_map(|(index, (run, label))| {
                Some(line(label, index + 1, Stroke::Solid, curve(run.metric(metric)?)?))
            });
            let (id, title) =
                (format!("{id}-{name}-percentiles"), format!("{} by percentile", capital(name)));
            percentiles(&id, &title, "", lines.collect(), Vec::new())
        });
    let mut blocks = Vec::new();
    if runs.len() > MOST {
        blocks.push(hint(format!("The first {MOST} of {} runs are drawn.", runs.len())));
    }
    blocks.push(Block::From(Detail::Usual, vec![Block::Table(table(runs))]));
    blocks.extend(curves);
    let timed = over_time(shown, id);
    if !timed.is_empty() {
        blocks.push(Block::Charts(Charts::Grid(timed, true)));
    }
    blocks
}

/// What is seen of each run over time: its name, its heading, what it counts, and the column.
type Series = (&'static str, &'static str, Unit, fn(&Course) -> Points);

const SERIES: [Series; 4] = [
    ("delivery", "Delivery, p99 over time", Unit::Micros, |course| quantile(course, &course.delivery.p99_us)),
    ("ack", "Acknowledgement, p99 over time", Unit::Micros, |course| quantile(course, &course.ack.p99_us)),
    ("connected", "Open connections", Unit::Count, |course| level(course, &course.connected)),
    ("cpu", "Processors that the server keeps busy", Unit::Processors, |course| {
        measured(course, &course.server_cpu)
    }),
];

/// A chart for each column, with a line for each run that has it.
fn over_time(runs: &[(&RunResult, String)], id: &str) -> Vec<Chart> {
    let chart = |(name, title, unit, column): Series| {
        let lines = runs.iter().enumerate().filter_map(|(index, (run, label))| {
            Some(line(label, index + 1, Stroke::Solid, column(run.course.as_ref()?)))
        });
        let lines: Vec<Line> = lines.filter(|line| line.points.iter().any(|(_, y)| y.is_some())).collect();
        let (least, greatest) = range(&lines)?;
        let scale = Scale::fitting(unit, least, greatest);
        let to = runs.iter().filter_map(|(run, _)| run.course.as_ref()).map(end).fold(0.0, f64::max);
        Some(Chart {
            id: format!("{id}-{name}"),
            title: title.to_owned(),
            about: scale.remark().to_owned(),
            x: (Scale::Linear { from: 0.0, to }, Unit::Seconds),
            y: (scale, unit),
            lines,
            limits: Vec::new(),
            bands: Vec::new(),
            events: Events::default(),
            height: 190,
        })
    };
    SERIES.into_iter().filter_map(chart).collect()
}

/// One row for each series and percentile, one column for each run.
fn table(runs: &[(&RunResult, String)]) -> Table {
    type Percentile = fn(&MetricResult) -> Option<u64>;
    let percentiles: [(&str, u64, Percentile); 2] =
        [("p50", 2, |metric| metric.p50_us), ("p99", 100, |metric| metric.p99_us)];
    let mut columns = vec![Column::words("Series")];
    columns.extend(runs.iter().map(|(_, name)| Column::figures(&**name)));
    let mut table = Table::new("Latencies beside each other", columns);
    for series in
        [Metric::Connect, Metric::Ack, Metric::Response, Metric::Delivery, Metric::FanoutLast, Metric::Lag]
    {
        let name = series.name();
        let found: Vec<Option<&MetricResult>> = runs.iter().map(|(run, _)| run.metric(series)).collect();
        for (word, least, value) in percentiles.iter().filter(|_| found.iter().any(Option::is_some)) {
            let cell = |metric: &Option<&MetricResult>| {
                metric.map_or_else(super::dash, |metric| percentile(metric, value(metric), *least))
            };
            let cells = [format!("{name} {word}")].into_iter().chain(found.iter().map(cell));
            table.rows.push(Row::of(cells));
        }
    }
    table
}
