//! What the audit of the deliveries found: who had to receive, who must not, and what came of it.

use maud::{Markup, html};

use crate::measure::format::{count, counted, printable, share};
use crate::report::RunResult;
use crate::report::result::DeliveriesResult;

use super::chart::number;
use super::page::Column::{Figure, Words};
use super::page::{Caption, Place, Table, Tone, sign};

/// The tables, where there was an audit.
pub(super) fn render(run: &RunResult, place: Place<'_>) -> Option<Markup> {
    let found = run.deliveries.as_ref()?;
    let faults = found.missing + found.duplicate + found.disordered + found.leaked;
    let tone = if faults > 0 { Tone::Bad } else { Tone::Good };
    Some(html! {
        p {
            (sign(tone)) " "
            @match faults {
                0 => "Everybody got what was for them, once and in order, and nothing else."
                _ => { (counted(faults, "delivery fault")) "." }
            }
            " " (counted(found.messages, "message")) " and " (counted(found.receipts, "receipt")) " judged."
        }
        (pairs(found))
        (faults_of(found))
        @if !found.offenders.is_empty() {
            (place.head("The first of each kind"))
            ul.stories { @for script_info in &found.offenders { li { (printable(script_info)) "." } } }
        }
    })
}

fn faults_of(found: &DeliveriesResult) -> Markup {
    let name = "Faults of delivery";
    let columns = [Words("Fault"), Figure("found"), Figure("of"), Words("")];
    Table { label: name, class: None, caption: Caption::Title(name), columns: &columns }.of(&html! {
        (fault("Missing", found.missing, found.expected, "who had to receive a message has not"))
        (fault("Duplicate", found.duplicate, found.receipts, "received again"))
        (fault("Out of order", found.disordered, found.receipts, "later messages of one sender came first"))
        (fault("Leaked", found.leaked, found.forbidden, "received by who must not"))
        @for leak in &found.leaks {
            tr.part {
                th scope="row" { (printable(&leak.kind)) }
                td.figure { (count(leak.count)) }
                td {} td {}
            }
        }
        @if found.late > 0 {
            tr { th scope="row" { "Late" } td.figure { (count(found.late)) } td {} td { "came when the window was over" } }
        }
    })
}

fn fault(name: &str, found: u64, of: u64, words: &str) -> Markup {
    let tone = if found > 0 { Tone::Bad } else { Tone::Good };
    html! {
        tr {
            th scope="row" { (sign(tone)) " " (name) }
            td.figure { (count(found)) }
            td.figure.quiet { (count(of)) }
            td.quiet { (words) }
        }
    }
}

/// What was known of the pairs of a message and a client, as a bar and in figures.
fn pairs(found: &DeliveriesResult) -> Markup {
    let all = (found.expected + found.forbidden + found.undecided) as f64;
    let kinds = [
        ("must arrive", found.expected, "c3"),
        ("must not arrive", found.forbidden, "c1"),
        ("either is right", found.undecided, "c7"),
    ];
    let mut from = 0.0;
    let parts: Vec<(f64, f64, &str)> = kinds
        .into_iter()
        .map(|(_, value, class)| {
            let width = if all > 0.0 { value as f64 / all * 100.0 } else { 0.0 };
            from += width;
            (from - width, width, class)
        })
        .collect();
    html! {
        div.pairs {
            svg.bar width="100%" height="14" aria-hidden="true" {
                rect.rail x="0" y="0" width="100%" height="14" {}
                @for (from, width, class) in &parts {
                    rect class={ "part " (class) } x={ (number(*from, 3)) "%" } width={ (number(*width, 3)) "%" } y="0" height="14" {}
                }
            }
            ul.legend {
                @for (name, value, class) in kinds {
                    li {
                        svg.key width="12" height="12" aria-hidden="true" { rect class={ "part " (class) } width="12" height="12" rx="2" {} }
                        (count(value)) " " (name)
                        @if all > 0.0 { span.quiet { " " (share(value as f64 / all)) } }
                    }
                }
            }
            p.quiet { "Of each message and each client it is known that the message has to arrive, that it must not, or neither, because a join, a leave or a disconnect was in flight together with it." }
        }
    }
}
