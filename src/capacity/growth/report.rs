//! The blocks of a report about the growth: the answer, the highest load over the nodes, and every search.

use std::time::Duration;

use super::{GrowthResult, GrowthStep};
use crate::capacity::curve::{FARTHEST, Law, throughputs};
use crate::capacity::report::{LawWords, law, sentence, steps, tone as tone_of_search};
use crate::measure::format::{capital, counted, duration, rate};
use crate::report::block::{
    Block, Card, Charts, Column, Detail, Fold, Report, Row, Table, Text, Tone, Verdict, part, section,
};
use crate::report::chart::event::Events;
use crate::report::chart::mark::Shape;
use crate::report::chart::scale::{Scale, Unit};
use crate::report::chart::{Chart, Line, Stroke, line, range};
use crate::report::result::TargetKind;
use crate::report::run::server;
use crate::scenario::Axis;
use crate::statistics::usl::Usl;

/// The number of points at which the law is calculated.
const PLACES: u32 = 60;

/// The report about this growth.
pub(crate) fn report(result: &GrowthResult) -> Report {
    let mut blocks = vec![Block::Verdict(verdict(result)), Block::Cards(cards(result))];
    let sections = [
        section("growth", "Nodes and the highest load", growth(result)),
        section("searches", "Every search", searches(result)),
    ];
    blocks.extend(sections.into_iter().flatten());
    let first = result.searches.first().map(|step| &step.search);
    let facts = first.map_or_else(Vec::new, |search| {
        vec![
            format!("sockrates {}", search.tool_version),
            format!("{}, {}", search.environment.os, counted(search.environment.cpus.into(), "cpu")),
            format!("seed {}", search.scenario.seed),
            result.started.clone(),
        ]
    });
    blocks.push(Block::Foot(facts.into_iter().map(Text::from).collect()));
    Report {
        title: format!("Growth over nodes: {}", name(result)),
        heading: None,
        tone: tone(result),
        version: first.map_or_else(String::new, |search| search.tool_version.clone()),
        blocks,
    }
}

fn name(result: &GrowthResult) -> &str {
    result.searches.first().map_or("", |step| &step.search.scenario.name)
}

fn axis(result: &GrowthResult) -> Axis {
    result.searches.first().map_or_else(Axis::default, |step| step.search.axis.clone())
}

fn nodes(number: f64) -> String {
    counted(number.max(0.0) as u64, "node")
}

/// As good as the least of the searches.
fn tone(result: &GrowthResult) -> Tone {
    let tones: Vec<Tone> = result.searches.iter().map(|step| tone_of_search(&step.search)).collect();
    let worst = [Tone::Bad, Tone::Doubtful].into_iter().find(|tone| tones.contains(tone));
    worst.unwrap_or(if tones.is_empty() { Tone::Doubtful } else { Tone::Good })
}

/// A load in words; where no higher one broke, as a bound.
fn held(step: &GrowthStep) -> String {
    match step.held() {
        Some(held) if step.is_certain() => step.search.axis.words(held),
        Some(held) => format!("at least {}", step.search.axis.words(held)),
        None => "none".to_owned(),
    }
}

/// How many times the load of the first, and what share of linear growth that is. Nothing where the first might bear more than it
/// was given.
fn growth_of(first: &GrowthStep, step: &GrowthStep) -> Option<(f64, f64)> {
    let times = step.held()? / first.held()?;
    let is_known = first.is_certain() || first.nodes == step.nodes;
    is_known.then(|| (times, times * f64::from(first.nodes) / f64::from(step.nodes)))
}

/// Before a figure that is a bound.
fn at_least(step: &GrowthStep) -> &'static str {
    if step.is_certain() { "" } else { "at least " }
}

fn verdict(result: &GrowthResult) -> Verdict {
    let words = match result.ends() {
        Some((first, last)) => {
            let [from, to] = [first, last].map(|step| nodes(step.nodes.into()));
            match growth_of(first, last) {
                Some((times, _)) => {
                    let verb = match times < 1.0 {
                        true if last.is_certain() => "fell",
                        true => "went",
                        false => "grew",
                    };
                    format!(
                        "From {from} to {to}, the highest load that held {verb} from {} to {}: {}{times:.2} times.",
                        held(first),
                        held(last),
                        at_least(last)
                    )
                }
                None => format!(
                    "How the highest load grows from {from} to {to} is not known, because no load broke {from}: search further, with \
                     a greater `--to`."
                ),
            }
        }
        None => match &result.searches[..] {
            [] => "The first search ended before its answer was found.".to_owned(),
            [step] if step.held().is_some() => {
                format!("Only {} was searched: {} held.", nodes(step.nodes.into()), held(step))
            }
            _ => "There are no two numbers of nodes at which some load held.".to_owned(),
        },
    };
    let runs: usize = result.searches.iter().map(|step| step.search.points.len()).sum();
    let facts = [
        match result.searches.len() {
            1 => "1 search".to_owned(),
            searches => format!("{searches} searches"),
        },
        counted(runs as u64, "run"),
        duration(Duration::from_micros(result.duration_us)),
    ];
    let against = result.searches.last().map(|step| format!("against {}", server(&step.search.target)));
    Verdict {
        tone: tone(result),
        title: name(result).to_owned(),
        status: None,
        sentences: vec![Text::from(words)],
        facts: facts.into_iter().map(Text::from).collect(),
        more_facts: against.into_iter().chain([result.started.clone()]).map(Text::from).collect(),
        about: result.searches.first().and_then(|step| step.search.scenario.about.clone()),
        is_last: false,
    }
}

fn cards(result: &GrowthResult) -> Vec<Card> {
    let first = result.searches.iter().find(|step| step.held().is_some());
    let card = |step: &GrowthStep| {
        let growth = first.and_then(|first| growth_of(first, step));
        let words = |(_, share)| format!("{}{:.0} % of linear", at_least(step), share * 100.0);
        let note = growth.map_or_else(String::new, words);
        Card::new(nodes(step.nodes.into()), held(step), note, tone_of_search(&step.search))
    };
    result.searches.iter().map(card).collect()
}

fn growth(result: &GrowthResult) -> Vec<Block> {
    if result.searches.is_empty() {
        return Vec::new();
    }
    let mut blocks: Vec<Block> =
        chart(result).map(|chart| Block::Charts(Charts::Grid(vec![chart], false))).into_iter().collect();
    blocks.push(Block::Table(table(result)));
    let certain = result.searches.iter().filter(|step| step.is_certain()).count();
    if certain < result.searches.len() {
        let words = "A load that no higher one broke is a bound. It is no point of the law. The growth up to it is at least so large, and that from it on is not known.";
        blocks.push(Block::Paragraph(words.into()));
    }
    let machine = result.searches.iter().find(|step| step.search.target.kind != TargetKind::Url);
    if let Some(step) = machine {
        let processors = counted(step.search.environment.cpus.into(), "processor");
        let words = format!(
            "All nodes ran on this machine, which has {processors}: they share them with each other and with the clients."
        );
        blocks.push(Block::Paragraph(words.into()));
    }
    let axis = axis(result);
    let of_law = LawWords { what: "capacity", load: &nodes, value: &|value| axis.words(value) };
    match (result.law.refusal(&nodes), result.law.law()) {
        (Some(refusal), _) => blocks.push(part(
            "Universal Scalability Law",
            vec![Block::Paragraph(format!("{}.", capital(&refusal)).into())],
        )),
        (None, Some(found)) => blocks.push(law(&of_law, found)),
        (None, None) => {
            let words = "The Universal Scalability Law needs four numbers of nodes, each with a highest load: `--nodes 1..4` has so many.";
            blocks.push(Block::Paragraph(words.into()));
        }
    }
    blocks
}

fn table(result: &GrowthResult) -> Table {
    let columns = vec![
        Column::figures("Nodes"),
        Column::figures("highest load"),
        Column::figures("times the first"),
        Column::figures("of linear"),
        Column::figures("rate").spare(2),
        Column::figures("runs").spare(1),
    ];
    let first = result.searches.iter().find(|step| step.held().is_some());
    let row = |step: &GrowthStep| {
        let growth = first.and_then(|first| growth_of(first, step));
        let unknown = || "–".to_owned();
        let mut rates = throughputs(&step.search.points).into_iter();
        let rate_at_held = rates.find(|(load, _)| Some(*load) == step.held());
        Row::of([
            step.nodes.to_string(),
            held(step),
            growth.map_or_else(unknown, |(times, _)| format!("{times:.2}")),
            growth.map_or_else(unknown, |(_, share)| format!("{:.0} %", share * 100.0)),
            rate_at_held.map_or_else(unknown, |(_, throughput)| rate(throughput)),
            step.search.points.len().to_string(),
        ])
    };
    Table::new("The highest load by the number of nodes", columns).rows(result.searches.iter().map(row))
}

/// The highest loads over the nodes, linear growth, and the law.
fn chart(result: &GrowthResult) -> Option<Chart> {
    let found = |is: fn(&GrowthStep) -> bool| -> Vec<(f64, Option<f64>)> {
        let steps = result.searches.iter().filter(|step| is(step) && step.held().is_some());
        steps.map(|step| (f64::from(step.nodes), step.held())).collect()
    };
    let most = f64::from(result.searches.iter().map(|step| step.nodes).max()?);
    let law = result.law.law();
    let peak = law.and_then(|law| law.peak).unwrap_or_default();
    let end = (peak * 1.05).clamp(most * 1.04, most * FARTHEST);
    let mut lines = vec![line("highest load", 7, Stroke::Solid, found(|_| true))];
    if let Some(first) = result.searches.iter().find(|step| step.held().is_some()) {
        let each = first.held()? / f64::from(first.nodes);
        let points = vec![(0.0, Some(0.0)), (most, Some(each * most))];
        lines.push(line("linear", 5, Stroke::Dotted, points));
    }
    lines.extend(law.map(|law| by_law(law, end)));
    lines.push(line(
        "held, and a higher one broke",
        3,
        Stroke::Marks(Shape::Disc),
        found(GrowthStep::is_certain),
    ));
    lines.push(line("held at least", 7, Stroke::Marks(Shape::Ring), found(|step| !step.is_certain())));
    lines.retain(|line| !line.points.is_empty());
    let (_, greatest) = range(&lines)?;
    let unit = if axis(result).is_counted() { Unit::Count } else { Unit::PerSecond };
    Some(Chart {
        id: "load-nodes".to_owned(),
        title: "The highest load that held".to_owned(),
        about: format!("Across: nodes. Up: {}.", axis(result)),
        x: (Scale::Linear { from: 0.0, to: end }, Unit::Count),
        y: (Scale::up_to(greatest), unit),
        lines,
        limits: Vec::new(),
        bands: Vec::new(),
        events: Events::default(),
        height: 300,
    })
}

fn by_law(law: &Law, end: f64) -> Line {
    let usl = Usl { lambda: law.lambda.value, sigma: law.sigma.value, kappa: law.kappa.value };
    let at = |place: u32| 1.0 + (end - 1.0) * f64::from(place) / f64::from(PLACES);
    let points = (0..=PLACES).map(at).map(|nodes| (nodes, Some(usl.at(nodes)))).collect();
    line("Universal Scalability Law", 4, Stroke::Dashed, points)
}

fn searches(result: &GrowthResult) -> Vec<Block> {
    let told = |step: &GrowthStep| {
        let number = nodes(step.nodes.into());
        let words = match &step.search.found {
            Some(found) => sentence(&step.search.axis, found),
            None => "the search ended before the answer was found".to_owned(),
        };
        let text = Text::default().sign(tone_of_search(&step.search)).strong(number);
        let summary = text.plain(format!(": {words}."));
        let fold = Fold { summary: summary.clone(), blocks: steps(&step.search), ..Fold::default() };
        (summary, Block::Fold(fold))
    };
    let (summaries, folds): (Vec<Text>, Vec<Block>) = result.searches.iter().map(told).unzip();
    if summaries.is_empty() {
        return Vec::new();
    }
    vec![Block::Notes(summaries), Block::From(Detail::Everything, folds)]
}

#[cfg(test)]
mod tests;
