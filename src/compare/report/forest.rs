//! The ratio of each figure with its interval, one below the other, on a logarithmic axis around 1.

use maud::{Markup, html};

use super::{Beside, Change, Design, cells, judgement, outcome};
use crate::compare::figure::{self, Better};
use crate::compare::judge::FigureRow as Judged;
use crate::report::block::{Block, Column, Row, Table, Text, cell, drawn, hint};
use crate::report::chart::mark::Shape;
use crate::report::chart::number;
use crate::report::chart::scale::Scale;

/// The ratios that are worth a tick.
const TICKS: [f64; 12] = [1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0];
/// What lies farther is drawn at the edge.
const FARTHEST: f64 = 1000.0;
/// The height of a row.
const HEIGHT: u32 = 22;

/// A table with a drawing in each row, on a scale that all of them share.
pub(super) fn blocks(beside: &Beside<'_>, all: &[Beside<'_>], design: Design, effect: f64) -> Vec<Block> {
    let scale = scale(all.iter().flat_map(|beside| beside.rows));
    let Beside { first, other, rows, .. } = beside;
    let (medians, noise) = match design {
        Design::Blocks => ("median of the blocks", format!(" Shaded is what {first} differs from itself.")),
        Design::Days => ("medians of the runs", String::new()),
    };
    let words = format!(
        "Each value of {other} as a ratio to that of {first}: the {medians} and its 95 % interval.{noise} The scale is \
         logarithmic: ÷2 is as far from 1 as ×2."
    );
    let drawing = Column { drawing: Some(axis(scale)), ..Column::drawings("Ratio and interval, drawn") };
    let columns =
        vec![Column::words("Figure"), drawing, Column::words("difference"), Column::words("judgement")];
    let table = Table::new(format!("{other} beside {first}"), columns)
        .class("ratios")
        .rows(rows.iter().filter_map(|row| self::row(row, scale, effect)));
    beside.headed(vec![hint(words), Block::Table(table)])
}

fn row(row: &Judged, scale: Scale, effect: f64) -> Option<Row> {
    let [name, _, _, ratio, interval, _] = cells(row)?;
    let wish = match figure::kind(&row.figure)?.better {
        Better::Less => "less is better",
        _ => "more is better",
    };
    Some(Row::new([
        cell(name).note(wish),
        drawn(drawing(row, scale)),
        cell(Text::default().strong(ratio)).note(interval),
        cell(judgement(row, effect)),
    ]))
}

/// As far to either side as anything reaches.
fn scale<'a>(rows: impl Iterator<Item = &'a Judged>) -> Scale {
    let reach = |row: &Judged| {
        let ends = [row.ratio, row.ratio_low, row.ratio_high, 1.0 + row.floor.unwrap_or(0.0)];
        ends.into_iter().map(|end| end.ln().abs()).filter(|reach| reach.is_finite()).fold(0.0, f64::max)
    };
    let farthest = rows.map(reach).fold(1.02_f64.ln(), f64::max).min(FARTHEST.ln()) * 1.12;
    Scale::Log { from: (-farthest).exp(), to: farthest.exp() }
}

fn place(scale: Scale, ratio: f64) -> f64 {
    scale.place(ratio) * 100.0
}

/// The tick at 1, and the farthest one that there is on either side.
fn axis(scale: Scale) -> Markup {
    let (Scale::Linear { to, .. } | Scale::Log { to, .. }) = scale;
    let tick = TICKS.into_iter().rfind(|tick| *tick <= to).unwrap_or(TICKS[0]);
    let ticks = [(1.0 / tick, format!("÷{tick}")), (1.0, "1".to_owned()), (tick, format!("×{tick}"))];
    html! {
        svg.scale width="100%" height="14" aria-hidden="true" {
            @for (at, words) in ticks {
                text x={ (number(place(scale, at), 2)) "%" } y="11" text-anchor="middle" { (words) }
            }
        }
    }
}

fn drawing(row: &Judged, scale: Scale) -> Markup {
    let outcome = outcome(row);
    let percent = |ratio: f64| format!("{}%", number(place(scale, ratio), 2));
    let shape = match outcome {
        Change::Worse => Shape::Square,
        Change::Better => Shape::Diamond,
        Change::Same | Change::TooFew => Shape::Ring,
    };
    let middle = HEIGHT / 2;
    html! {
        svg class={ "forest mark " (outcome.tone().class()) } width="100%" height=(HEIGHT) aria-hidden="true" {
            @if let Some(floor) = row.floor {
                @let (from, to) = (place(scale, 1.0 / (1.0 + floor)), place(scale, 1.0 + floor));
                rect.noise x={ (number(from, 2)) "%" } width={ (number(to - from, 2)) "%" } y="0" height=(HEIGHT) {}
            }
            line.base x1=(percent(1.0)) x2=(percent(1.0)) y1="0" y2=(HEIGHT) {}
            line.reach x1=(percent(row.ratio_low)) x2=(percent(row.ratio_high)) y1=(middle) y2=(middle) {}
            svg x=(percent(row.ratio)) y=(middle) { (shape.drawn()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::besides;
    use super::*;
    use crate::compare::example::comparison;

    #[test]
    fn the_axis_has_equality_in_its_middle_and_holds_every_interval() {
        let result = comparison(10, 1.25);
        let scale = scale(result.comparisons[0].rows.iter());
        assert!((place(scale, 1.0) - 50.0).abs() < 1e-9);
        for row in &result.comparisons[0].rows {
            assert!(place(scale, row.ratio_low) > 0.0 && place(scale, row.ratio_high) < 100.0, "{row:?}");
        }
    }

    #[test]
    fn a_ratio_without_end_is_drawn_at_the_edge() {
        let mut result = comparison(4, 1.0);
        let row = &mut result.comparisons[0].rows[0];
        (row.ratio, row.ratio_low, row.ratio_high, row.floor) =
            (f64::INFINITY, 0.0, f64::NAN, Some(f64::INFINITY));
        let besides = besides(&result);
        let drawn = format!("{:?}", blocks(&besides[0], &besides, Design::Blocks, result.effect));
        assert!(!drawn.contains("NaN%") && !drawn.contains("inf%"), "{drawn}");
    }
}
