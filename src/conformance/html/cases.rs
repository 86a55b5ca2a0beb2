//! What did not pass in full, areas by verdict, and every case in a table with its filters.

use maud::{Markup, html};

use crate::conformance::result::{CaseResult, SuiteResult, Summary};
use crate::conformance::text::is_known;
use crate::conformance::verdict::Verdict;
use crate::measure::format::{count, printable};
use crate::report::html::page::scrolled;
use crate::report::html::{checks, errors};
use crate::scenario::Level;

use super::{signed, tone};

/// The name of a case of a server in the page.
fn anchor(suite: usize, case: usize) -> String {
    format!("case-{suite}-{case}")
}

/// What did not pass, each in full, the gravest first.
pub(super) fn deviations(suites: &[SuiteResult]) -> Option<Markup> {
    let told = [Verdict::Fail, Verdict::Blocked, Verdict::Warn, Verdict::Note];
    let chosen = told.into_iter().flat_map(|verdict| {
        suites.iter().enumerate().flat_map(move |(server, suite)| {
            let cases = suite.cases.iter().enumerate().filter(move |(_, case)| case.verdict == verdict);
            cases.map(move |(index, case)| (server, suite, index, case))
        })
    });
    let cases: Vec<Markup> = chosen
        .map(|(server, suite, index, case)| {
            let id = anchor(server, index);
            let is_open = matches!(case.verdict, Verdict::Fail | Verdict::Blocked) && !is_known(suite, case);
            html! {
                details class={ "case row is-" (case.verdict.name()) " at-" (case.level.name()) } id=(id)
                    open[is_open] data-words=(words(case, suites.len() > 1, &suite.name))
                {
                    summary {
                        span.verdict-word { (signed(case.verdict)) } " "
                        strong { (printable(&case.label())) }
                        @if suites.len() > 1 { span.quiet { " · " (printable(&suite.name)) } }
                        @if is_known(suite, case) { span.quiet { " · known" } }
                        span.name { (printable(&case.name)) }
                    }
                    (in_full(case))
                }
            }
        })
        .collect();
    (!cases.is_empty()).then(|| html! { @for case in &cases { (case) } })
}

fn in_full(case: &CaseResult) -> Markup {
    html! {
        dl.list {
            dt { "clause" } dd { (printable(&case.clause.join(", "))) span.quiet { " · " (case.level.name()) } }
            dt { "written in" } dd { (printable(&case.spec.join(", "))) }
            @if case.checks.is_empty() { dt { "reason" } dd { (printable(&case.reason)) } }
        }
        @for check in &case.checks { (checks::failed(check)) }
        @for error in &case.errors { (errors::error(error)) }
        p.again { span.quiet { "Again: " } code { (printable(&case.command)) } }
    }
}

/// What the search looks at.
fn words(case: &CaseResult, with_server: bool, name: &str) -> String {
    let server = if with_server { name } else { "" };
    printable(&format!("{} {} {} {server}", case.label(), case.name, case.clause.join(" ")))
}

/// Areas by verdict; of several servers, areas by server.
pub(super) fn areas(suites: &[SuiteResult]) -> Markup {
    let mut areas: Vec<&str> =
        suites.iter().flat_map(|suite| suite.cases.iter().map(|case| case.area.as_str())).collect();
    areas.sort_unstable();
    areas.dedup();
    let of = |suite: &SuiteResult, area: &str| {
        Summary::of(suite.cases.iter().filter(|case| case.area == area).map(|case| case.verdict))
    };
    let all = Summary::of(suites.iter().flat_map(|suite| suite.cases.iter().map(|case| case.verdict)));
    let shown: Vec<Verdict> = Verdict::ALL.into_iter().filter(|verdict| all.count(*verdict) > 0).collect();
    let cell = |number: u64, verdict: Verdict| match number {
        0 => html! { td.figure.quiet { "–" } },
        _ if verdict == Verdict::Pass => html! { td.figure { (count(number)) } },
        _ => html! { td class={ "figure told " (tone(verdict).class()) } { (count(number)) } },
    };
    html! {
        (scrolled("Verdicts by area", &html! {
            table.areas {
                caption.spoken { "Verdicts by area" }
                thead {
                    @if suites.len() > 1 {
                        tr { td {} @for suite in suites { th.server scope="colgroup" colspan=(shown.len()) { (printable(&suite.name)) } } }
                    }
                    tr {
                        th scope="col" { "Area" }
                        @for _ in suites { @for verdict in &shown { th.figure scope="col" { (verdict.name()) } } }
                    }
                }
                tbody {
                    @for area in &areas {
                        tr {
                            th scope="row" { (printable(area)) }
                            @for suite in suites { @let summary = of(suite, area); @for verdict in &shown { (cell(summary.count(*verdict), *verdict)) } }
                        }
                    }
                    tr.sum {
                        th scope="row" { "all" }
                        @for suite in suites { @for verdict in &shown { (cell(suite.summary.count(*verdict), *verdict)) } }
                    }
                }
            }
        }))
    }
}

/// Every case with its verdict on each server, and the filters.
pub(super) fn cases(suites: &[SuiteResult]) -> Markup {
    let mut labels: Vec<(String, usize, usize)> = Vec::new();
    for (server, suite) in suites.iter().enumerate() {
        labels.extend(suite.cases.iter().enumerate().map(|(index, case)| (case.label(), server, index)));
    }
    // Stable, so that of each label the first server that has it comes first.
    labels.sort_by(|one, other| one.0.cmp(&other.0));
    let rows: Vec<&[(String, usize, usize)]> = labels.chunk_by(|one, other| one.0 == other.0).collect();
    html! {
        (filters())
        (scrolled("Every case", &html! {
            table.cases {
                caption.spoken { "Every case, with its verdict on each server" }
                thead {
                    tr {
                        th scope="col" { "Case" } th scope="col" { "Clause" } th scope="col" { "Level" }
                        @for suite in suites { th scope="col" { (if suites.len() > 1 { printable(&suite.name) } else { "Verdict".to_owned() }) } }
                    }
                }
                tbody { @for row in rows { (self::row(suites, row)) } }
            }
        }))
    }
}

fn row(suites: &[SuiteResult], row: &[(String, usize, usize)]) -> Markup {
    let of = |server: usize| {
        let (_, _, index) = row.iter().find(|(_, other, _)| *other == server)?;
        Some((*index, &suites[server].cases[*index]))
    };
    let case = &suites[row[0].1].cases[row[0].2];
    let verdicts: Vec<String> = row
        .iter()
        .map(|(_, server, index)| format!("is-{}", suites[*server].cases[*index].verdict.name()))
        .collect();
    html! {
        tr class={ "row at-" (case.level.name()) " " (verdicts.join(" ")) } data-words=(words(case, false, "")) {
            th scope="row" { code { (printable(&case.label())) } span.name { (printable(&case.name)) } }
            td.quiet { (printable(&case.clause.join(", "))) }
            td.quiet { (case.level.name()) }
            @for server in 0..suites.len() {
                td.nowrap {
                    @match of(server) {
                        Some((index, case)) if case.verdict.is_deviation() || case.verdict == Verdict::Blocked => {
                            a href={ "#" (anchor(server, index)) } { (signed(case.verdict)) }
                        }
                        Some((_, case)) => (signed(case.verdict)),
                        None => span.quiet { "not chosen" },
                    }
                }
            }
        }
    }
}

fn filters() -> Markup {
    let boxes = |legend: &str, names: Vec<&'static str>| {
        html! {
            fieldset {
                legend { (legend) }
                @for name in names { label { input type="checkbox" id={ "show-" (name) } checked; " " (name) } }
            }
        }
    };
    html! {
        div.filters {
            (boxes("Verdict", Verdict::ALL.map(Verdict::name).to_vec()))
            (boxes("Level", Level::ALL.map(Level::name).to_vec()))
            div.search hidden {
                label for="search" { "Search" } input type="search" id="search" autocomplete="off";
                output id="found" for="search" aria-live="polite" {}
            }
        }
    }
}
