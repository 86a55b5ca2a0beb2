//! The blocks of a report about two stored results: what differs in words, the ratios, the percentile curves of both, and
//! what went wrong.

use super::{Beside, Design, conformance, curves, figures, forest, notes, sentences, went_wrong};
use crate::compare::conformance::turned;
use crate::compare::diff::{Day, Diff, Facts, Pair};
use crate::measure::format::count;
use crate::report::block::{
    Block, Column, Detail, Report, Row, Table, Text, Tone, Verdict, part, section, wide,
};
use crate::report::chart::Stroke;
use crate::report::run::environment;

/// The report about two results.
pub(crate) fn report(result: &Diff) -> Report {
    let besides: Vec<Beside<'_>> = result
        .comparisons
        .iter()
        .map(|pair| Beside {
            heading: Some(pair.name.clone()),
            first: &result.old.name,
            other: result.new.name.clone(),
            rows: &pair.rows,
        })
        .collect();
    let title = format!("{} beside {}", result.new.name, result.old.name);
    let ratios =
        besides.iter().flat_map(|beside| forest::blocks(beside, &besides, Design::Days, 0.0)).collect();
    let started = |day: &Day| Text::from(format!("{}: {}", day.name, day.started));
    let mut all = vec![Block::Verdict(Verdict {
        tone: Tone::Plain,
        title: title.clone(),
        status: None,
        sentences: result
            .comparisons
            .iter()
            .map(|pair| sentences(&pair.name, Text::default(), &pair.rows, (0.0, 0)))
            .collect(),
        facts: [&result.old, &result.new].map(started).to_vec(),
        more_facts: Vec::new(),
        about: None,
        is_last: false,
    })];
    all.extend(notes(&result.notes));
    all.push(Block::From(
        Detail::Everything,
        section("ratios", "Beside the older result", ratios).into_iter().collect(),
    ));
    let sections = [
        section("figures", "Figures", figures(&besides, Design::Days, 0.0, result.level)),
        section("latency", "Latency by percentile", latencies(result)),
        section("troubles", "What went wrong", vec![Block::Table(troubles(result))]),
        section("conformance", "Conformance", examined(result)),
    ];
    all.extend(sections.into_iter().flatten());
    let machine =
        |day: &Day| part(&*day.name, vec![Block::Facts(environment(&day.environment, &day.tool_version))]);
    let machines = [&result.old, &result.new].map(machine).to_vec();
    all.push(Block::From(Detail::Everything, vec![wide("setup", "How it was made", machines)]));
    Report { title, heading: None, tone: Tone::Plain, version: result.tool_version.clone(), blocks: all }
}

fn latencies(result: &Diff) -> Vec<Block> {
    let about = "All valid runs of a day together. To the right of p99 are the slowest 1 % of all values.";
    let of_pair = |(index, pair): (usize, &Pair)| {
        curves(&format!("-{}", index + 1), &format!(": {}", pair.name), about, |metric| {
            let sides = [(&result.old, &pair.old, 1), (&result.new, &pair.new, 2)];
            let found = sides.into_iter().filter_map(|(day, facts, colour)| {
                let series = facts.latencies.iter().find(|one| one.name == metric)?;
                Some((day.name.clone(), colour, Stroke::Solid, series))
            });
            found.collect()
        })
    };
    result.comparisons.iter().enumerate().flat_map(of_pair).collect()
}

fn troubles(result: &Diff) -> Table {
    let columns = vec![
        Column::words("Scenario and result"),
        Column::figures("valid runs"),
        Column::words("what went wrong"),
    ];
    let row = |(name, facts): (String, &Facts)| {
        Row::of([name.into(), count(facts.runs as u64).into(), went_wrong(&facts.troubles)])
    };
    Table::new("What went wrong", columns)
        .remark("All runs of a result together")
        .rows(result.sides().map(row))
}

/// What the suite found in either result, and which cases differ.
fn examined(result: &Diff) -> Vec<Block> {
    let mut blocks = Vec::new();
    for pair in &result.comparisons {
        let name = |server: &str, day: &Day| format!("{server}, {}", day.name);
        blocks.extend(
            pair.old
                .conformance
                .iter()
                .map(|found| conformance(&name(&found.server, &result.old), found, Vec::new())),
        );
        let Some(found) = &pair.new.conformance else { continue };
        let mut changes = Vec::new();
        if let Some(old) = &pair.old.conformance {
            let (broken, mended) = turned(old, found);
            for (words, cases) in [("newly failing: ", broken), ("no longer failing: ", mended)] {
                if !cases.is_empty() {
                    changes.push(Text::default().quiet(words).plain(cases.join(", ")));
                }
            }
        }
        blocks.push(conformance(&name(&found.server, &result.new), found, changes));
    }
    blocks
}
