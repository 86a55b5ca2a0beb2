//! The suite as one page of HTML: the verdicts on each server, what deviates in full, and every case in a table.
//!
//! The frame, the checks and the facts look as in the pages about runs ([`crate::report::html`]). Filters for verdicts
//! and levels are made of style alone; only the search needs the script.

use std::time::Duration;

use maud::{Markup, html};

use super::result::{BaselineRow, CaseResult, SuiteFile, SuiteResult, Summary};
use super::text::{counts, is_known, reasons};
use super::verdict::Verdict;
use crate::measure::human::{self, count, counted, printable};
use crate::report::html::head::{capital, mark, server};
use crate::report::html::page::{Page, Section, Tone, scrolled, sign};
use crate::report::html::setup::{Fact, environment, facts, target};
use crate::report::html::{checks, errors};
use crate::scenario::Level;

/// The page about these servers.
pub fn to_html(file: &SuiteFile) -> String {
    let suites = &file.suites;
    let sections: Vec<Section> = [
        ("against", "What counts", against(suites)),
        ("deviations", "Deviations", deviations(suites)),
        ("areas", "By area", (!suites.is_empty()).then(|| areas(suites))),
        ("cases", "Every case", (!suites.is_empty()).then(|| cases(suites))),
        ("skipped", "Not played", skipped(suites)),
        ("setup", "What was examined, and where", (!suites.is_empty()).then(|| setup(suites))),
    ]
    .into_iter()
    .filter_map(|(id, title, body)| Some(Section { id: id.to_owned(), title: title.to_owned(), body: body? }))
    .collect();
    let names: Vec<String> = suites.iter().map(|suite| suite.name.clone()).collect();
    let body = html! {
        h1 { "Conformance of " (printable(&names.join(" and "))) }
        @for suite in suites { (head(suite)) }
        @for section in &sections { (section.markup(2)) }
    };
    let tone = suites.iter().map(overall).reduce(graver).unwrap_or(Tone::Plain);
    Page {
        title: format!("Conformance of {}", names.join(" and ")),
        tone,
        places: sections.iter().map(|section| (section.id.clone(), section.title.clone())).collect(),
        body,
        charts: Vec::new(),
        version: suites.first().map_or(env!("CARGO_PKG_VERSION"), |suite| &suite.tool_version).to_owned(),
    }
    .render()
}

fn overall(suite: &SuiteResult) -> Tone {
    match suite.exit_code {
        0 => Tone::Good,
        130 => Tone::Doubtful,
        _ => Tone::Bad,
    }
}

fn graver(one: Tone, other: Tone) -> Tone {
    let order = [Tone::Bad, Tone::Doubtful, Tone::Good, Tone::Plain];
    order.into_iter().find(|tone| [one, other].contains(tone)).unwrap_or(Tone::Plain)
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail | Verdict::Blocked => Tone::Bad,
        Verdict::Warn | Verdict::Note => Tone::Doubtful,
        Verdict::Skip => Tone::Plain,
    }
}

/// The sign of a verdict; the word stands beside it.
fn signed(verdict: Verdict) -> Markup {
    let tone = tone(verdict);
    let text = match verdict {
        Verdict::Warn => "!",
        Verdict::Note => "·",
        Verdict::Skip => "–",
        _ => tone.sign(),
    };
    html! { span class={ "sign " (tone.class()) } aria-hidden="true" { (text) } " " (verdict.name()) }
}

/// What became of one server, with the numbers.
fn head(suite: &SuiteResult) -> Markup {
    let tone = overall(suite);
    let word = match suite.exit_code {
        0 => "Passed",
        3 => "Unreachable",
        130 => "Interrupted",
        _ => "Failed",
    };
    let judged = suite.summary.judged();
    html! {
        header class={ "verdict " (tone.class()) } {
            svg.mark viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" { (mark(tone)) }
            div {
                h2 { (printable(&suite.name)) }
                p.sentence {
                    strong { (word) } ": " (counted(suite.summary.total(), "case")) ", " (counts(&suite.summary)) "."
                }
                ul.facts {
                    li { "exit code " (suite.exit_code) }
                    li { (human::duration(Duration::from_micros(suite.duration_us))) }
                    li { "against " (server(&suite.target)) }
                    li { (printable(&suite.started)) }
                }
            }
        }
        dl.cards.counts {
            @for verdict in Verdict::ALL {
                @let number = suite.summary.count(verdict);
                div class={ "card " (if number > 0 { tone_of(verdict) } else { "plain" }) } {
                    dt { (capital(verdict.name())) }
                    dd {
                        span.value { (count(number)) }
                        @if verdict == Verdict::Pass && judged > 0 {
                            " " span.note { (human::share(number as f64 / judged as f64)) " of those judged" }
                        }
                    }
                }
            }
        }
    }
}

fn tone_of(verdict: Verdict) -> &'static str {
    tone(verdict).class()
}

/// What happened beside the cases, and how it compares with what was known.
fn against(suites: &[SuiteResult]) -> Option<Markup> {
    let told: Vec<Markup> = suites
        .iter()
        .filter(|suite| !suite.findings.is_empty() || suite.baseline.is_some())
        .map(|suite| {
            let rows = |head: String, rows: &[BaselineRow]| {
                html! {
                    @if !rows.is_empty() {
                        div.finding.bad {
                            p.what { (sign(Tone::Bad)) " " strong { (head) } }
                            ul.examples {
                                @for row in rows {
                                    li {
                                        code { (printable(&row.case)) } ": " (row.now.name())
                                        @if let Some(listed) = row.listed { ", listed as " (listed.name()) }
                                    }
                                }
                            }
                        }
                    }
                }
            };
            html! {
                @if suites.len() > 1 { h3 { (printable(&suite.name)) } }
                @for finding in &suite.findings {
                    div.finding.bad { p.what { (sign(Tone::Bad)) " " (printable(finding)) } }
                }
                @if let Some(found) = &suite.baseline {
                    (rows(format!("New, and not in {}", printable(&found.file)), &found.new))
                    (rows(format!("Listed in {}, and they pass by now", printable(&found.file)), &found.gone))
                    p.quiet { (counted(found.known, "case")) " deviating or not played as " (printable(&found.file)) " says." }
                }
            }
        })
        .collect();
    (!told.is_empty()).then(|| html! { @for part in &told { (part) } })
}

/// The name of a case of a server in the page.
fn anchor(suite: usize, case: usize) -> String {
    format!("case-{suite}-{case}")
}

/// What did not pass, each in full, the gravest first.
fn deviations(suites: &[SuiteResult]) -> Option<Markup> {
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
fn areas(suites: &[SuiteResult]) -> Markup {
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
fn cases(suites: &[SuiteResult]) -> Markup {
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

/// Why cases were not played, each reason once.
fn skipped(suites: &[SuiteResult]) -> Option<Markup> {
    let told: Vec<(&SuiteResult, Vec<(&str, Vec<String>)>)> = suites
        .iter()
        .map(|suite| (suite, reasons(suite)))
        .filter(|(_, reasons)| !reasons.is_empty())
        .collect();
    (!told.is_empty()).then(|| {
        html! {
            @for (suite, reasons) in &told {
                @if suites.len() > 1 { h3 { (printable(&suite.name)) } }
                ul.stories {
                    @for (reason, labels) in reasons {
                        li {
                            (printable(reason)) ": "
                            @match labels.len() {
                                0..=3 => (printable(&labels.join(", "))),
                                all => { (counted(all as u64, "case")) details { summary { "which" } (printable(&labels.join(", "))) } }
                            }
                        }
                    }
                }
            }
        }
    })
}

/// The servers with what they offer, the timings, and the machine.
fn setup(suites: &[SuiteResult]) -> Markup {
    html! {
        div.setup {
            @for suite in suites {
                div { h3 { (printable(&suite.name)) } (facts(&[target(&suite.target), timings(suite)].concat())) }
                div { h3 { "What it offers" } (features(suite)) }
            }
            @if let Some(first) = suites.first() {
                div { h3 { "Machine" } (facts(&environment(&first.environment, &first.tool_version))) }
            }
        }
    }
}

fn timings(suite: &SuiteResult) -> Vec<Fact> {
    let timings = suite.timings;
    let time = |micros: u64| html! { (human::duration(Duration::from_micros(micros))) };
    vec![
        (
            "heartbeat",
            html! { "every " (time(timings.ping_interval_us)) ", to be answered within " (time(timings.ping_timeout_us)) },
        ),
        ("to connect", time(timings.connect_timeout_us)),
        ("to upgrade", time(timings.upgrade_timeout_us)),
        ("recovery", time(timings.recovery_us)),
        ("maxPayload", html! { (human::bytes(timings.max_payload)) }),
    ]
}

fn features(suite: &SuiteResult) -> Markup {
    html! {
        ul.stories {
            @for feature in &suite.features {
                li {
                    @match feature.there {
                        true => { (sign(Tone::Good)) " " code { (printable(&feature.name)) } }
                        false => { (sign(Tone::Plain)) " " code { (printable(&feature.name)) } span.quiet { " not offered: " (printable(&feature.seen)) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};
    use crate::conformance::result::{BaselineResult, FeatureResult, SCHEMA_VERSION};
    use crate::session::Transport;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

    fn file(suites: Vec<SuiteResult>) -> SuiteFile {
        SuiteFile { schema_version: SCHEMA_VERSION, suites }
    }

    fn some() -> Vec<CaseResult> {
        vec![
            result("rooms/first", None, Verdict::Pass),
            result("rooms/second", Some(Transport::Polling), Verdict::Fail),
            result("rooms/third", None, Verdict::Skip),
            result("upgrade/fourth", None, Verdict::Blocked),
            result("upgrade/fifth", None, Verdict::Warn),
        ]
    }

    /// The verdicts of each row of the table of all cases.
    fn rows(page: &str) -> Vec<&str> {
        let classes = page.split("<tr class=\"row ").skip(1);
        classes.filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn every_case_is_in_the_table_and_what_deviates_is_told_in_full() {
        let page = to_html(&file(vec![suite("x", some())]));
        assert_eq!(rows(&page).len(), 5);
        for (index, is_told) in [(0, false), (1, true), (2, false), (3, true), (4, true)] {
            assert_eq!(page.contains(&format!("id=\"case-0-{index}\"")), is_told, "case {index}");
        }
        for words in
            ["SEM-BC-04", "Socket.IO documentation, Rooms", "42[&quot;news&quot;]", "--only rooms/second"]
        {
            assert!(page.contains(words), "{words}");
        }
    }

    #[test]
    fn a_row_is_shown_for_the_verdict_of_any_server() {
        let one = suite("one", vec![result("a/x", None, Verdict::Pass)]);
        let other =
            suite("other", vec![result("a/x", None, Verdict::Fail), result("a/y", None, Verdict::Warn)]);
        let page = to_html(&file(vec![one, other]));
        assert_eq!(rows(&page), ["at-must is-pass is-fail", "at-should is-warn"]);
        assert!(page.contains("not chosen"), "the first server knows nothing of a/y");
    }

    #[test]
    fn a_hostile_text_stays_text() {
        let text = || HOSTILE.to_owned();
        let mut case = result("a/x", None, Verdict::Fail);
        (case.id, case.name, case.reason, case.command) = (text(), text(), text(), text());
        (case.clause, case.spec, case.area) = (vec![text()], vec![text()], text());
        let mut suite =
            suite(HOSTILE, vec![case, CaseResult { reason: text(), ..result("b/y", None, Verdict::Skip) }]);
        suite.findings = vec![text()];
        suite.features = vec![FeatureResult { name: text(), there: false, seen: text() }];
        let row = BaselineRow { case: text(), listed: None, now: Verdict::Fail };
        suite.baseline =
            Some(BaselineResult { file: text(), known: 0, new: vec![row.clone()], gone: vec![row] });
        let page = to_html(&file(vec![suite.clone(), suite]));
        assert!(!page.contains("<img"));
        assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
    }

    #[test]
    fn nothing_at_all_is_a_page_too() {
        assert!(to_html(&file(Vec::new())).contains("<main"));
    }

    /// The pages that `tests/peers/node/report.test.js` opens in a browser.
    #[test]
    fn pages_for_the_browser_are_written() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
        std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
        let servers = vec![suite("one", some()), suite("other", some()[..3].to_vec())];
        std::fs::write(folder.join("conformance.html"), to_html(&file(servers)))
            .expect("a page can be written");
    }
}
