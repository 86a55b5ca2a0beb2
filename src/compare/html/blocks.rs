//! Each block's values in their order, so that a drift of the machine or of a server shows, and who was played when.

use maud::{Markup, html};

use super::contestants;
use crate::compare::figure::{KINDS, Kind, Unit};
use crate::compare::result::{BlockResult, ComparisonResult};
use crate::compare::text::title;
use crate::measure::format::{counted, printable};
use crate::report::html::chart::scale::{self, Scale};
use crate::report::html::chart::{Chart, Line, Stroke, range};
use crate::report::html::head::capital;

/// Of more blocks only every second, third, … is drawn.
const MOST: usize = 150;

/// A chart for each figure that any run has.
pub(super) fn render(result: &ComparisonResult, draw: &mut dyn FnMut(Chart) -> Markup) -> Option<Markup> {
    let every = result.blocks.len().div_ceil(MOST).max(1);
    let drawn: Vec<Markup> =
        KINDS.iter().filter_map(|kind| Some(draw(chart(result, kind, every)?))).collect();
    (!drawn.is_empty()).then(|| {
        html! {
            p.quiet {
                "Each run is a shape, the first block to the left. Judged are the ratios within the blocks: what lifts all servers of a block lifts none of them. "
                @if every > 1 { "One block of " (every) " is drawn." }
            }
            div.charts { @for one in &drawn { (one) } }
        }
    })
}

fn chart(result: &ComparisonResult, kind: &Kind, every: usize) -> Option<Chart> {
    let lines: Vec<Line> = contestants(result)
        .into_iter()
        .map(|contestant| {
            let value = |(index, block): (usize, &BlockResult)| {
                let run = block.runs.iter().find(|run| contestant.owns(run))?;
                Some(((index + 1) as f64, Some(*run.figures.get(kind.name)?)))
            };
            Line {
                name: contestant.label(),
                colour: contestant.colour,
                stroke: Stroke::Marks(contestant.shape),
                points: result.blocks.iter().enumerate().step_by(every).filter_map(value).collect(),
            }
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let (least, greatest) = range(&lines)?;
    let unit = match kind.unit {
        Unit::Time => scale::Unit::Micros,
        Unit::Rate => scale::Unit::PerSecond,
        Unit::Processor => scale::Unit::Seconds,
        Unit::Bytes => scale::Unit::Bytes,
    };
    let y = Scale::within(least, greatest);
    let begins = matches!(y, Scale::Linear { from, .. } if from > 0.0);
    Some(Chart {
        id: format!("blocks-{}", kind.name.replace(' ', "-")),
        title: capital(&title(*kind)),
        about: if begins { "The scale does not begin at nothing." } else { "" }.to_owned(),
        x: (Scale::Linear { from: 0.0, to: (result.blocks.len() + 1) as f64 }, scale::Unit::Count),
        y: (y, unit),
        lines,
        limits: Vec::new(),
        bands: Vec::new(),
        height: 170,
    })
}

/// Who was played when.
pub(super) fn order(result: &ComparisonResult) -> Markup {
    html! {
        details {
            summary { "The order of " (counted(result.blocks.len() as u64, "block")) }
            ol.stories {
                @for block in &result.blocks {
                    li {
                        @for (index, run) in block.runs.iter().enumerate() {
                            @if index > 0 { ", " }
                            (printable(&run.server))
                            @if run.twin { " again" }
                        }
                    }
                }
            }
        }
    }
}
