//! The suite as one page of HTML: the verdicts on each server, what deviates in full, and every case in a table.
//!
//! The frame, the checks and the facts look as in the pages about runs ([`crate::report::html`]). Filters for verdicts
//! and levels are made of style alone; only the search needs the script.

mod cases;

use std::time::Duration;

use maud::{Markup, html};

use super::result::{BaselineRow, SuiteResult};
use super::text::{counts, reasons};
use super::verdict::Verdict;
use crate::measure::format::{self, count, counted, printable};
use crate::report::html::head::{self, capital, server};
use crate::report::html::page::{Page, Tone, sign};
use crate::report::html::setup::{Fact, environment, facts, target};
use cases::{areas, cases, deviations};

/// The page about these servers.
pub fn to_html(suites: &[SuiteResult]) -> String {
    let parts = [
        ("against", "What counts", against(suites)),
        ("deviations", "Deviations", deviations(suites)),
        ("areas", "By area", (!suites.is_empty()).then(|| areas(suites))),
        ("cases", "Every case", (!suites.is_empty()).then(|| cases(suites))),
        ("skipped", "Not played", skipped(suites)),
        ("setup", "What was examined, and where", (!suites.is_empty()).then(|| setup(suites))),
    ];
    let names: Vec<String> = suites.iter().map(|suite| suite.name.clone()).collect();
    let title = format!("Conformance of {}", names.join(" and "));
    let tone = suites.iter().map(overall).reduce(graver).unwrap_or(Tone::Plain);
    let head = html! {
        h1 { "Conformance to Socket.IO" }
        @for suite in suites { (head(suite)) }
    };
    let version = suites.first().map_or(env!("CARGO_PKG_VERSION"), |suite| &suite.tool_version);
    Page::of_parts(title, tone, &head, parts, Vec::new(), version).render()
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
        (head::verdict(tone, &html! {
            h2 { (printable(&suite.name)) }
            p.sentence {
                strong { (word) } ": " (counted(suite.summary.total(), "case")) ", " (counts(&suite.summary)) "."
            }
            ul.facts {
                li { "exit code " (suite.exit_code) }
                li { (format::duration(Duration::from_micros(suite.duration_us))) }
                li { "against " (server(&suite.target)) }
                li { (printable(&suite.started)) }
            }
        }))
        dl.cards.counts {
            @for verdict in Verdict::ALL {
                @let number = suite.summary.count(verdict);
                div class={ "card " (if number > 0 { tone_of(verdict) } else { "plain" }) } {
                    dt { (capital(verdict.name())) }
                    dd {
                        span.value { (count(number)) }
                        @if verdict == Verdict::Pass && judged > 0 {
                            " " span.note { (format::share(number as f64 / judged as f64)) " of those judged" }
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

/// Why cases were not played, each reason once.
fn skipped(suites: &[SuiteResult]) -> Option<Markup> {
    let told: Vec<Markup> = suites
        .iter()
        .filter(|suite| suite.summary.skip > 0)
        .map(|suite| {
            html! {
                @if suites.len() > 1 { h3 { (printable(&suite.name)) } }
                ul.stories { @for (reason, labels) in reasons(suite) { (not_played(reason, &labels)) } }
            }
        })
        .collect();
    (!told.is_empty()).then(|| html! { @for part in &told { (part) } })
}

/// A reason and the cases; of many, only their number until it is opened.
fn not_played(reason: &str, labels: &[String]) -> Markup {
    let all = printable(&labels.join(", "));
    html! {
        li {
            (printable(reason)) ": "
            @match labels.len() {
                0..=3 => (all),
                number => { (counted(number as u64, "case")) details { summary { "which" } (all) } }
            }
        }
    }
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
    let time = |micros: u64| html! { (format::duration(Duration::from_micros(micros))) };
    vec![
        (
            "heartbeat",
            html! { "every " (time(timings.ping_interval_us)) ", to be answered within " (time(timings.ping_timeout_us)) },
        ),
        ("to connect", time(timings.connect_timeout_us)),
        ("to upgrade", time(timings.upgrade_timeout_us)),
        ("recovery", time(timings.recovery_us)),
        ("maxPayload", html! { (format::bytes(timings.max_payload)) }),
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
    use crate::conformance::result::{BaselineResult, CaseResult, FeatureResult};
    use crate::session::Transport;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

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
        let page = to_html(&[suite("x", some())]);
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
        let page = to_html(&[one, other]);
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
        let page = to_html(&[suite.clone(), suite]);
        assert!(!page.contains("<img"));
        assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
    }

    #[test]
    fn nothing_at_all_is_a_page_too() {
        assert!(to_html(&[]).contains("<main"));
    }

    /// The pages that `tests/peers/node/report.test.js` opens in a browser.
    #[test]
    fn pages_for_the_browser_are_written() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
        std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
        let servers = vec![suite("one", some()), suite("other", some()[..3].to_vec())];
        std::fs::write(folder.join("conformance.html"), to_html(&servers)).expect("a page can be written");
    }
}
