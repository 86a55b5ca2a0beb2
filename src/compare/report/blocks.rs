//! Each block's values in their order, so that a drift of the machine or of a server shows, and who was played when.

use super::{contestants, figure_name};
use crate::compare::figure::{KINDS, Kind, Unit};
use crate::compare::result::{BlockResult, ComparisonResult, RunFigures};
use crate::measure::format::{capital, counted};
use crate::report::block::{Block, Charts, Fold, Text, hint};
use crate::report::chart::event::Events;
use crate::report::chart::scale::{self, Scale};
use crate::report::chart::{Band, Chart, Line, Stroke, line, range};

/// Of more blocks only every second, third, … is drawn.
const MOST: usize = 150;

/// A chart for each figure that any run has.
pub(super) fn blocks(result: &ComparisonResult) -> Vec<Block> {
    let every = result.blocks.len().div_ceil(MOST).max(1);
    let charts: Vec<Chart> = KINDS.iter().filter_map(|kind| chart(result, kind, every)).collect();
    if charts.is_empty() {
        return Vec::new();
    }
    let left_out = if every > 1 { format!(" One block of {every} is drawn.") } else { String::new() };
    let words = "Each run is a shape, the first block to the left. The ratios within the blocks are judged: what affects all \
                 servers of a block is in none of them.";
    vec![hint(format!("{words}{left_out}")), Block::Charts(Charts::Grid(charts, false))]
}

fn chart(result: &ComparisonResult, kind: &Kind, every: usize) -> Option<Chart> {
    let lines: Vec<Line> = contestants(result)
        .into_iter()
        .map(|contestant| {
            let value = |(index, block): (usize, &BlockResult)| {
                let run = block.runs.iter().find(|run| contestant.owns(run))?;
                Some(((index + 1) as f64, Some(*run.figures.get(kind.name)?)))
            };
            let points = result.blocks.iter().enumerate().step_by(every).filter_map(value).collect();
            line(&contestant.label(), contestant.colour, Stroke::Marks(contestant.shape), points)
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    figure_chart("blocks", *kind, lines, result.blocks.len(), Vec::new())
}

/// The values of a figure, one place for each of so many results. `of` is what the name of the chart begins with. None without
/// values.
pub(super) fn figure_chart(
    of: &str,
    kind: Kind,
    lines: Vec<Line>,
    places: usize,
    bands: Vec<Band>,
) -> Option<Chart> {
    let (least, greatest) = range(&lines)?;
    let unit = match kind.unit {
        Unit::Time => scale::Unit::Micros,
        Unit::Rate => scale::Unit::PerSecond,
        Unit::Processor => scale::Unit::Seconds,
        Unit::Bytes => scale::Unit::Bytes,
    };
    let y = Scale::within(least, greatest);
    let begins = matches!(y, Scale::Linear { from, .. } if from > 0.0);
    let id = format!("{of}-{}", kind.name);
    Some(Chart {
        id: id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect(),
        title: capital(&figure_name(kind)),
        about: if begins { "The scale does not begin at 0." } else { "" }.to_owned(),
        x: (Scale::Linear { from: 0.0, to: (places + 1) as f64 }, scale::Unit::Count),
        y: (y, unit),
        lines,
        limits: Vec::new(),
        bands,
        events: Events::default(),
        height: 170,
    })
}

/// Who was played when.
pub(super) fn order(result: &ComparisonResult) -> Block {
    let name = |run: &RunFigures| format!("{}{}", run.server, if run.twin { " again" } else { "" });
    let of_block = |(index, block): (usize, &BlockResult)| {
        let names: Vec<String> = block.runs.iter().map(name).collect();
        Text::from(format!("{}: {}", index + 1, names.join(", ")))
    };
    let notes = result.blocks.iter().enumerate().map(of_block).collect();
    Block::Fold(Fold {
        summary: format!("The order of {}", counted(result.blocks.len() as u64, "block")).into(),
        blocks: vec![Block::Notes(notes)],
        ..Fold::default()
    })
}
