//! The ratio of each figure with its interval, one below the other, on a logarithmic axis around 1.

use maud::{Markup, html};

use super::{Beside, Design, Judged, judged};
use crate::compare::figure::{self, Better};
use crate::compare::judge::Row;
use crate::compare::text::{cells, judgement};
use crate::measure::format::printable;
use crate::report::html::chart::mark::Shape;
use crate::report::html::chart::number;
use crate::report::html::chart::scale::Scale;
use crate::report::html::page::{scrolled, sign};

/// The ratios that are worth a tick.
const TICKS: [f64; 12] = [1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 1000.0];
/// What lies farther is drawn at the edge.
const FARTHEST: f64 = 1000.0;
/// The height of a row.
const HEIGHT: u32 = 22;

/// A table with a drawing in each row, for each side beside the first.
pub(super) fn render(all: &[Beside<'_>], design: Design, effect: f64) -> Markup {
    let scale = scale(all.iter().flat_map(|beside| beside.rows));
    html! {
        @for Beside { heading, first, other, rows } in all {
            @if let Some(heading) = heading { h3 { (printable(heading)) } }
            p.quiet {
                "Each value of " (printable(other)) " as a ratio to that of " (printable(first)) ": the "
                (match design { Design::Blocks => "median of the blocks", Design::Days => "medians of the runs" })
                " and its 95 % interval. "
                @if design == Design::Blocks { "Shaded is what " (printable(first)) " differs from itself. " }
                "The scale is logarithmic: ÷2 is as far from 1 as ×2."
            }
            (scrolled(&format!("{other} beside {first}"), &html! {
                table.ratios {
                    caption.spoken { (printable(other)) " beside " (printable(first)) }
                    thead {
                        tr {
                            th scope="col" { "Figure" }
                            th.drawn scope="col" { span.spoken { "Ratio and interval, drawn" } (axis(scale)) }
                            th scope="col" { "Difference" }
                            th scope="col" { "Judgement" }
                        }
                    }
                    tbody { @for row in *rows { (told(row, scale, effect)) } }
                }
            }))
        }
    }
}

fn told(row: &Row, scale: Scale, effect: f64) -> Markup {
    let (Some([name, _, _, ratio, interval, _]), Some(kind)) = (cells(row), figure::kind(&row.figure)) else {
        return Markup::default();
    };
    let wish = if kind.better == Better::Less { "less is better" } else { "more is better" };
    html! {
        tr {
            th scope="row" { (name) span.name { (wish) } }
            td.drawn { (drawing(row, scale)) }
            td.nowrap { strong { (ratio) } span.name { (interval) } }
            td.judgement { (sign(judged(row).tone())) " " (judgement(row, effect).0) }
        }
    }
}

/// As far to either side as anything reaches.
fn scale<'a>(rows: impl Iterator<Item = &'a Row>) -> Scale {
    let reach = |row: &Row| {
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

fn drawing(row: &Row, scale: Scale) -> Markup {
    let judged = judged(row);
    let percent = |ratio: f64| format!("{}%", number(place(scale, ratio), 2));
    let shape = match judged {
        Judged::Worse => Shape::Square,
        Judged::Better => Shape::Diamond,
        Judged::Same | Judged::TooFew => Shape::Ring,
    };
    let middle = HEIGHT / 2;
    html! {
        svg class={ "forest mark " (judged.tone().class()) } width="100%" height=(HEIGHT) aria-hidden="true" {
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
        let drawn = render(&besides(&result), Design::Blocks, result.effect).into_string();
        assert!(!drawn.contains("NaN%") && !drawn.contains("inf%"), "{drawn}");
    }
}
