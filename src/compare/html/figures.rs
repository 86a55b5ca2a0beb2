//! Every figure of every side beside the first, as a table.

use maud::{Markup, html};

use super::{Beside, Design};
use crate::compare::judge::Row;
use crate::compare::text::{cells, percent};
use crate::measure::format::{count, printable};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Table};

/// A table for each side beside the first.
pub(super) fn render(all: &[Beside<'_>], design: Design, level: f64) -> Markup {
    html! {
        p.quiet {
            @match design {
                Design::Blocks => {
                    "Medians of the blocks. The difference is the median of the ratios in each block, the noise what the first server differs from itself. "
                    "p is how often a server like the first would seem to differ so much, corrected for all figures and servers; "
                    (percent(level)) " is the limit."
                }
                Design::Days => {
                    "Medians of the runs, and their ratio. Nothing is paired: what the machine did differently is in it, too."
                }
            }
        }
        @for Beside { heading, first, other, rows } in all {
            @if let Some(heading) = heading { h3 { (printable(heading)) } }
            (table(first, other, rows, design))
        }
    }
}

fn table(first: &str, other: &str, rows: &[Row], design: Design) -> Markup {
    let label = format!("Figures of {other} and {first}");
    let mut columns = vec![Words("Figure"), Figure(first), Figure(other)];
    columns.extend(heads(design).iter().copied().map(Figure));
    let table = Table { label: &label, class: None, caption: Caption::Spoken(&label), columns: &columns };
    table.of(&html! {
        @for (row, [name, first, other, ratio, interval, noise]) in rows.iter().filter_map(|row| Some((row, cells(row)?))) {
            tr {
                th scope="row" { (name) }
                td.figure { (first) }
                td.figure { (other) }
                td.figure { (ratio) }
                td.figure { (interval) }
                @if design == Design::Blocks {
                    td.figure { (noise) }
                    td.figure { (chance(row.p)) }
                }
                td.figure { (count(row.pairs as u64)) }
            }
        }
    })
}

/// What stands above the columns behind the two sides.
fn heads(design: Design) -> &'static [&'static str] {
    match design {
        Design::Blocks => &["difference", "95 %", "noise", "p", "blocks"],
        Design::Days => &["difference", "95 %", "runs"],
    }
}

fn chance(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}
