//! Results as one page of HTML, whole in itself: it needs no network, and nothing essential needs its script.
//!
//! A run has a part of its own; several runs of one scenario are also laid over each other (`compare`). The frame
//! is `page`, drawings are `chart`s. Names, payloads and source lines come from servers and files: whatever is
//! written goes through `maud`, which escapes it, and through [`format::printable`], which shows what would be
//! invisible or turn the reading direction.

pub(crate) mod chart;
pub(crate) mod checks;
mod compare;
pub(crate) mod course;
mod deliveries;
pub(crate) mod errors;
pub(crate) mod head;
pub(crate) mod latency;
pub(crate) mod page;
pub(crate) mod setup;
mod thresholds;

use maud::{Markup, html};
use serde_json::Value;

use crate::measure::format::{self, counted, printable};
use crate::observe::Metric;
use crate::verdict::Status;

use super::RunResult;
use chart::Chart;
use page::{Caption, Column, Page, Place, Section, Table, Tone, sign};

/// So many runs are told in full from the beginning; of more, those that did not pass.
const MOST_OPEN: usize = 3;

/// The page about these runs.
pub fn to_html(results: &[RunResult]) -> String {
    let statuses: Vec<Status> = results.iter().map(|result| result.verdict.status).collect();
    let version = results.first().map_or(env!("CARGO_PKG_VERSION"), |result| &result.tool_version).to_owned();
    let mut charts = Vec::new();
    let (title, places, body) = match results {
        [only] => one(only, &mut charts),
        _ => several(results, &mut charts),
    };
    let tone = tone(Status::gravest(&statuses));
    Page { title, tone, places, body, charts, version }.render()
}

/// The colour of a status.
fn tone(status: Status) -> Tone {
    match status {
        Status::Passed => Tone::Good,
        Status::Failed | Status::Unreachable => Tone::Bad,
        Status::Invalid | Status::Interrupted => Tone::Doubtful,
    }
}

fn one(run: &RunResult, charts: &mut Vec<Value>) -> (String, Vec<(String, String)>, Markup) {
    let title = format!("{}: {}", run.verdict.status.name(), run.scenario.name);
    let sections = sections(run, Place { id: "run", level: 3 }, charts);
    let places = sections.iter().map(|section| (section.id.clone(), section.title.clone())).collect();
    let body = html! {
        (head::render(run, Place { id: "run", level: 1 }))
        @for section in &sections { (section.markup(2)) }
    };
    (title, places, body)
}

fn several(runs: &[RunResult], charts: &mut Vec<Value>) -> (String, Vec<(String, String)>, Markup) {
    let title = counted(runs.len() as u64, "run");
    let names = compare::names(runs);
    let compared = compare::render(runs, &names, charts);
    let mut places = vec![("overview".to_owned(), "Overview".to_owned())];
    places.extend(compared.iter().map(|section| (section.id.clone(), section.title.clone())));
    places.extend(names.iter().enumerate().map(|(index, name)| (format!("run{}", index + 1), name.clone())));
    let parts: Vec<Markup> = runs.iter().zip(&names).enumerate().map(|(index, (run, name))| {
        let id = format!("run{}", index + 1);
        let is_open = runs.len() <= MOST_OPEN || run.verdict.status != Status::Passed;
        let sections = sections(run, Place { id: &id, level: 4 }, charts);
        html! {
            article id=(id) aria-label=(printable(name)) {
                details.run open[is_open] {
                    summary { (sign(tone(run.verdict.status))) " " (printable(name)) span.quiet { " " (run.verdict.status.name()) } }
                    (head::render(run, Place { id: &id, level: 2 }))
                    @for section in &sections { (section.markup(3)) }
                }
            }
        }
    }).collect();
    let body = html! {
        h1 { (title) }
        section id="overview" aria-label="Overview" { (overview(runs, &names)) }
        @for section in &compared { (section.markup(2)) }
        @for part in &parts { (part) }
    };
    (title, places, body)
}

/// The runs in a table, each with what became of it.
fn overview(runs: &[RunResult], names: &[String]) -> Markup {
    let percentile = |run: &RunResult, metric: Metric| {
        run.metric(metric)
            .map_or_else(|| "–".to_owned(), |metric| latency::percentile(metric, metric.p99_us, 100))
    };
    let figures = ["clients", "took", "missing", "leaked", "delivery p99", "ack p99", "connect p99"];
    let columns: Vec<Column<'_>> =
        ["Run", "Verdict"].map(Column::Words).into_iter().chain(figures.map(Column::Figure)).collect();
    let caption = Caption::Quiet("What became of each run");
    Table { label: "The runs", class: None, caption, columns: &columns }.of(&html! {
        @for (index, (run, name)) in runs.iter().zip(names).enumerate() {
            @let found = run.deliveries.as_ref();
            tr {
                th scope="row" { a href={ "#run" (index + 1) } { (printable(name)) } }
                td.nowrap { (sign(tone(run.verdict.status))) " " (run.verdict.status.name()) }
                td.figure { (format::count(run.clients())) }
                td.figure { (head::micros(run.duration_us)) }
                td.figure { (found.map_or_else(|| "–".to_owned(), |found| format::count(found.missing))) }
                td.figure { (found.map_or_else(|| "–".to_owned(), |found| format::count(found.leaked))) }
                td.figure { (percentile(run, Metric::Delivery)) }
                td.figure { (percentile(run, Metric::Ack)) }
                td.figure { (percentile(run, Metric::Connect)) }
            }
        }
    })
}

/// What is told of a run, in its order.
fn sections(run: &RunResult, place: Place<'_>, charts: &mut Vec<Value>) -> Vec<Section> {
    let mut draw = |chart: Chart| {
        charts.push(chart.data());
        chart.figure()
    };
    let mut found = Vec::new();
    let mut add = |name: &str, title: &str, body: Option<Markup>| {
        found.extend(body.map(|body| Section { id: place.name(name), title: title.to_owned(), body }));
    };
    add("thresholds", "Thresholds", thresholds::render(run));
    add("checks", "Checks", checks::render(&run.checks));
    add("deliveries", "Deliveries", deliveries::render(run, place));
    add("course", "Over time", course::render(run, place, &mut draw));
    add("latency", "Latency", latency::render(run, place, &mut draw));
    add("errors", "Errors", errors::render(run));
    add("setup", "What was run, and where", Some(setup::render(run, place)));
    found
}

#[cfg(test)]
mod tests;
