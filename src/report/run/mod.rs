//! The blocks of a report about runs: one run by itself, or several of them, laid over each other where they are of one
//! scenario.

mod checks;
mod compare;
mod course;
mod deliveries;
mod head;
mod latency;
mod operations;
mod setup;
mod thresholds;
mod traffic;

use std::time::Duration;

use crate::measure::format::{self, count};
use crate::observe::Metric;
use crate::verdict::Status;

use super::RunResult;
use super::block::{
    Block, Cell, Column, Detail, Evidence, Finding, Fold, Report, Row, Table, Text, Tone, cell, section,
};
use super::render::{Look, terminal, terminal_blocks};
use super::result::{ErrorResult, TargetKind};

pub(crate) use checks::failed;
pub(crate) use head::{is_of_all, server, target_in_words};
pub(crate) use latency::{curve, percentiles};
pub(crate) use setup::{environment, target};

/// Up to this number of runs are open at first on a page; if there are more, only those that did not pass.
const MOST_OPEN: usize = 3;

/// The report about one run.
pub fn of_run(run: &RunResult) -> Report {
    Report {
        title: format!("{}: {}", run.verdict.status.name(), run.scenario.name),
        heading: None,
        tone: tone(run),
        version: run.tool_version.clone(),
        blocks: blocks(run, "run"),
    }
}

/// The report about any number of runs.
pub fn of_runs(runs: &[RunResult]) -> Report {
    if let [only] = runs {
        return of_run(only);
    }
    let statuses: Vec<Status> = runs.iter().map(|run| run.verdict.status).collect();
    let title = how_many_passed(runs);
    let names = compare::names(runs);
    let mut blocks: Vec<Block> =
        section("overview", "Overview", vec![Block::Table(overview(runs, &names))]).into_iter().collect();
    blocks.extend(compare::sections(runs, &names));
    blocks.extend(runs.iter().zip(&names).enumerate().map(|(index, (run, name))| {
        let id = format!("run{}", index + 1);
        let (tone, status) = (tone(run), run.verdict.status.name());
        Block::Fold(Fold {
            summary: Text::default().sign(tone).strong(name).quiet(format!(" {status}")),
            is_open: runs.len() <= MOST_OPEN || tone != Tone::Good,
            is_result: true,
            blocks: self::blocks(run, &id),
            id: Some(id),
            ..Fold::default()
        })
    }));
    let version = runs.first().map_or(env!("CARGO_PKG_VERSION"), |run| &run.tool_version).to_owned();
    let tone = match tone_of_status(Status::gravest(&statuses)) {
        Tone::Good if runs.iter().any(|run| run.not_judged().is_some()) => Tone::Doubtful,
        tone => tone,
    };
    Report { heading: Some(title.clone()), title, tone, version, blocks }
}

/// How many of these runs passed, and of how many of those the deliveries were not judged.
pub fn how_many_passed(runs: &[RunResult]) -> String {
    let passed = runs.iter().filter(|run| run.verdict.status == Status::Passed);
    let unjudged = passed.clone().filter(|run| run.not_judged().is_some()).count();
    let words = format!("{} of {} scenarios passed", passed.count(), runs.len());
    if unjudged == 0 { words } else { format!("{words}, and of {unjudged} the deliveries were not judged") }
}

/// The report about one run for a terminal. Where little is asked for, a run that passed is one line, and of another
/// nothing is kept back.
pub fn text_of_run(run: &RunResult, look: Look, detail: Detail) -> String {
    let report = of_run(run);
    if detail == Detail::Little && run.verdict.status == Status::Passed {
        let name = Text::default().sign(report.tone).plain(&*run.scenario.name);
        let line = match report.tone {
            Tone::Good => name,
            _ => name.plain(format!(": {}", run.verdict.reason)),
        };
        return terminal_blocks(&[Block::Paragraph(line)], look, detail);
    }
    terminal(&report, look, detail.max(Detail::Usual))
}

/// The colour of a run. One whose deliveries were not judged is not good, whatever else held.
fn tone(run: &RunResult) -> Tone {
    match tone_of_status(run.verdict.status) {
        Tone::Good if run.not_judged().is_some() => Tone::Doubtful,
        tone => tone,
    }
}

fn tone_of_status(status: Status) -> Tone {
    match status {
        Status::Passed => Tone::Good,
        Status::Failed | Status::Unreachable => Tone::Bad,
        Status::Invalid | Status::Interrupted => Tone::Doubtful,
    }
}

/// Everything about a run, in its order. The names of its places begin with `id`.
fn blocks(run: &RunResult, id: &str) -> Vec<Block> {
    let name = |word: &str| format!("{id}-{word}");
    let mut blocks = vec![Block::Verdict(head::verdict(run))];
    // Of a server that was found, nothing was read that it printed.
    let end =
        run.server_end.as_ref().filter(|end| end.service.is_some() || run.target.kind != TargetKind::Url);
    blocks.extend(end.map(|end| Block::Finding(head::last_words(end))));
    blocks.push(Block::Cards(head::cards(run)));
    blocks.extend(doubts(run));
    let sections = [
        section(name("thresholds"), "Thresholds", thresholds::blocks(run)),
        section(name("checks"), "Checks", checks::blocks(&run.checks)),
        section(name("deliveries"), "Deliveries", deliveries::blocks(run)),
        section(name("operations"), "What was done to the server", operations::blocks(run)),
        section(name("course"), "Over time", course::blocks(run, id)),
        section(name("ended"), "Connections that failed or ended", course::causes(run)),
        section(name("latency"), "Latency", latency::blocks(run, id)),
    ];
    blocks.extend(sections.into_iter().flatten());
    blocks.push(Block::From(Detail::Usual, latency::bars(run)));
    let errors: Vec<Block> = run.errors.iter().map(|found| Block::Finding(error(found))).collect();
    let usual = [
        section(name("errors"), "Errors", errors),
        section(name("counts"), "Traffic", traffic::traffic(run)),
        section(name("load"), "Load", traffic::load(run)),
    ];
    blocks.push(Block::From(Detail::Usual, usual.into_iter().flatten().collect()));
    blocks.push(Block::From(Detail::Everything, vec![setup::section(run, &name("setup"))]));
    blocks.push(Block::Foot(head::foot(run)));
    blocks
}

/// Why the measurement is in doubt, where the generator says so.
fn doubts(run: &RunResult) -> Option<Block> {
    let doubts = &run.generator.as_ref()?.doubts;
    let notes = doubts.iter().map(|doubt| Text::from(format!("{}.", doubt.sentence))).collect();
    let what = Text::default().strong("The measurement is in doubt");
    (!doubts.is_empty()).then(|| Block::Finding(Finding { notes, ..Finding::new(Tone::Doubtful, what) }))
}

/// What went wrong without any step asking: a cause with its first instances.
pub(crate) fn error(error: &ErrorResult) -> Finding {
    let evidence = error.examples.iter().map(|example| Evidence {
        clients: vec![example.client.clone()],
        seen: vec![("", example.detail.clone())],
        wire_of: example.client.clone(),
        wire: example.wire.clone(),
        wire_from: Detail::Everything,
    });
    Finding {
        evidence: evidence.collect(),
        more: error.count.saturating_sub(error.examples.len() as u64),
        ..Finding::new(
            Tone::Doubtful,
            Text::default().strong(format!("{} × {}", count(error.count), error.cause)),
        )
    }
}

/// The runs in a table, each with its verdict.
fn overview(runs: &[RunResult], names: &[String]) -> Table {
    let percentile = |run: &RunResult, metric: Metric| {
        run.metric(metric).map_or_else(dash, |metric| latency::percentile(metric, metric.p99_us, 100))
    };
    let mut columns = vec![Column::words("Run"), Column::words("Verdict")];
    let figures = ["clients", "took", "missing", "leaked", "delivery p99", "ack p99", "connect p99"];
    columns.extend(
        figures
            .into_iter()
            .zip([3, 6, 2, 1, 0, 4, 5])
            .map(|(head, spare)| Column::figures(head).spare(spare)),
    );
    let rows = runs.iter().zip(names).enumerate().map(|(index, (run, name))| {
        let found = run.deliveries.as_ref();
        let mut cells: Vec<Cell> = vec![
            cell(Text::default().styled(name, super::block::Style::Link(format!("run{}", index + 1)))),
            cell(Text::default().sign(tone(run)).plain(run.verdict.status.name())),
        ];
        cells.extend(
            [
                count(run.clients()),
                micros(run.duration_us),
                found.map_or_else(dash, |found| count(found.missing)),
                found.map_or_else(dash, |found| count(found.leaked)),
                percentile(run, Metric::Delivery),
                percentile(run, Metric::Ack),
                percentile(run, Metric::Connect),
            ]
            .map(cell),
        );
        Row::new(cells)
    });
    Table::new("The runs", columns).remark("The verdict on each run").rows(rows)
}

/// What stands where nothing is known.
fn dash() -> String {
    "–".to_owned()
}

/// A duration for people.
pub(crate) fn micros(value: u64) -> String {
    format::duration(Duration::from_micros(value))
}

#[cfg(test)]
mod tests;
