//! Every step of the search, in the order in which they were played.

use maud::{Markup, html};

use crate::capacity::result::CapacityResult;
use crate::capacity::search::Outcome;
use crate::capacity::text::row;
use crate::measure::format::printable;
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Table, Tone, sign};

/// The table of them.
pub(super) fn render(result: &CapacityResult) -> Option<Markup> {
    if result.points.is_empty() {
        return None;
    }
    let figures = ["a second", "p50", "p99", "errors", "audit", "CPU", "memory"];
    let mut columns = vec![Figure("Step"), Figure("load"), Words("outcome")];
    columns.extend(figures.map(Figure));
    columns.push(Words("played for"));
    let table = Table {
        label: "Every step",
        class: None,
        caption: Caption::Quiet("In the order in which they were played"),
        columns: &columns,
    };
    Some(table.of(&html! {
        @for (index, point) in result.points.iter().enumerate() {
            @let [load, figures @ .., purpose] = row(&result.axis, point);
            @let (tone, word, why) = told(&point.outcome);
            tr {
                td.figure { (index + 1) }
                th.figure scope="row" { (printable(&load)) }
                td.outcome { (sign(tone)) " " (word) @if let Some(why) = why { span.name { (printable(why)) } } }
                @for figure in &figures { td.figure { (figure) } }
                td { (purpose) }
            }
        }
    }))
}

/// The judgement of a step, the word for it, and the reason.
fn told(outcome: &Outcome) -> (Tone, &'static str, Option<&str>) {
    match outcome {
        Outcome::Held => (Tone::Good, "held", None),
        Outcome::Broke(why) => (Tone::Bad, "broke", Some(why)),
        Outcome::Died(how) => (Tone::Bad, "the server ended", Some(how)),
        Outcome::Limited(why) => (Tone::Doubtful, "we did not keep up", Some(why)),
        Outcome::Unclear(why) => (Tone::Doubtful, "not clear", Some(why)),
    }
}
