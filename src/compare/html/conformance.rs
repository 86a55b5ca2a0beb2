//! What the conformance suite found about each server, as a table.

use maud::{Markup, html};

use crate::compare::conformance::Conformance;
use crate::conformance::Verdict;
use crate::measure::format::{count, printable};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Table, Tone, sign};

/// A row for each of them, under its name. None without any.
pub(super) fn render<'c>(all: impl Iterator<Item = (String, &'c Conformance)>) -> Option<Markup> {
    let all: Vec<(String, &Conformance)> = all.collect();
    let mut columns = vec![Words("Server")];
    columns.extend(Verdict::ALL.map(|verdict| Figure(verdict.name())));
    columns.push(Words("what is to be known"));
    let table = Table {
        label: "Conformance",
        class: None,
        caption: Caption::Quiet(
            "The bundled suite, played once against each server after the blocks: how many cases came to which verdict",
        ),
        columns: &columns,
    };
    (!all.is_empty()).then(|| {
        table.of(&html! {
            @for (name, found) in &all {
                tr {
                    th scope="row" { (printable(name)) }
                    @for verdict in Verdict::ALL { td.figure { (count(found.summary.count(verdict))) } }
                    td { (told(found)) }
                }
            }
        })
    })
}

fn told(found: &Conformance) -> Markup {
    html! {
        @if let Some(why) = &found.unfinished { p { (sign(Tone::Doubtful)) " not finished: " (printable(why)) } }
        @for finding in &found.findings { p { (sign(Tone::Bad)) " " (printable(finding)) } }
        @for (verdict, tone) in [(Verdict::Fail, Tone::Bad), (Verdict::Blocked, Tone::Bad), (Verdict::Warn, Tone::Doubtful)] {
            @let cases = found.cases(verdict);
            @if !cases.is_empty() { p { (sign(tone)) " " (verdict.name()) ": " (printable(&cases.join(", "))) } }
        }
        @if found.is_kept() { p { (sign(Tone::Good)) " no case failed" } }
    }
}
