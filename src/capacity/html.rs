//! A search as one page of HTML: the answer, the curves over the load, and every step.
//!
//! The frame, the charts and the facts are those of the pages about runs ([`crate::report::html`]). Reasons, names and
//! variables come from servers and files: all of it is shown as text.

mod curves;
mod law;
mod steps;

use std::time::Duration;

use maud::{Markup, html};

use super::plan::Plan;
use super::result::CapacityResult;
use super::search::{Above, Found};
use super::text::{recovered, sentence};
use crate::measure::format::{bytes, count, counted, duration, printable, rate};
use crate::report::html::chart::Chart;
use crate::report::html::head::{Card, capital, dealt, server, verdict};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Page, Table, Tone, sign};
use crate::report::html::setup::{Fact, environment, facts, target};

/// The page about this search.
pub fn to_html(result: &CapacityResult) -> String {
    let mut charts = Vec::new();
    let mut draw = |chart: Chart| {
        charts.push(chart.data());
        chart.figure()
    };
    let parts = [
        ("throughput", "Throughput and load", curves::throughput(result, &mut draw)),
        ("latency", "Latency and load", curves::latency(result, &mut draw)),
        ("cost", "What it cost the server", curves::cost(result, &mut draw)),
        ("plan", "Plan", result.plan.as_ref().map(plan)),
        ("recovery", "After too much", recovery(result)),
        ("steps", "Every step", steps::render(result)),
        ("notes", "On the way", notes(result)),
        ("setup", "What was run, and where", Some(setup(result))),
    ];
    let head = html! {
        (head(result))
        (dealt(&cards(result)))
    };
    let (title, tone) = (format!("The highest load: {}", result.scenario.name), tone(result.found.as_ref()));
    Page::of_parts(title, tone, &head, parts, charts, &result.tool_version).render()
}

/// Good where the answer stands, bad where the server could not do anything, doubtful where it is not known.
fn tone(found: Option<&Found>) -> Tone {
    match found.map(|found| (&found.above, found.held)) {
        Some((Above::Broke { .. } | Above::Range { .. }, Some(_))) => Tone::Good,
        Some((Above::Broke { .. } | Above::Died { .. }, _)) => Tone::Bad,
        _ => Tone::Doubtful,
    }
}

fn head(result: &CapacityResult) -> Markup {
    let axis = &result.axis;
    let told = html! {
        h1 { (printable(&result.scenario.name)) }
        p.sentence {
            @match &result.found {
                Some(found) => { (printable(&capital(&sentence(axis, found)))) "." }
                None => "The search ended before the answer was found.",
            }
        }
        ul.facts {
            @if let Some(found) = &result.found {
                @let votes = found.confirmed;
                @let all = votes.held + votes.broke;
                @if let (Some(held), Above::Broke { load, .. }) = (found.held, &found.above) {
                    li { "between " (printable(&axis.words(held))) " and " (printable(&axis.words(*load))) }
                }
                @if all > 0 { li { "held in " (votes.held) " of " (counted(u64::from(all), "run")) " on fresh servers" } }
            }
            li { (counted(result.points.len() as u64, "run")) }
            li { (duration(Duration::from_micros(result.duration_us))) }
            li { "against " (server(&result.target)) }
            li { (printable(&result.started)) }
        }
        @if let Some(about) = &result.scenario.about { p.about { (printable(about)) } }
    };
    verdict(tone(result.found.as_ref()), &told)
}

fn cards(result: &CapacityResult) -> Vec<Card> {
    let words = |load: f64| printable(&result.axis.words(load));
    let mut cards = Vec::new();
    let mut add = |name: &str, value: String, notes: Vec<String>, tone: Tone| {
        cards.push(Card { name: name.to_owned(), value, notes, tone });
    };
    if let Some(found) = &result.found {
        let held = found.held.map_or_else(|| "none".to_owned(), words);
        let tone = if found.held.is_some() { Tone::Good } else { Tone::Bad };
        let held_at: Vec<f64> = super::curve::throughputs(&result.points)
            .into_iter()
            .filter_map(|(load, throughput)| (Some(load) == found.held).then_some(throughput))
            .collect();
        add("Highest load that held", held, held_at.into_iter().map(rate).collect(), tone);
        if let Above::Broke { load, .. } | Above::Died { load, .. } = &found.above {
            add("Lowest that did not", words(*load), Vec::new(), Tone::Bad);
        }
    }
    if let Some(knee) = result.curve.knee {
        add("Knee", words(knee), vec!["throughput is 80 % of linear".to_owned()], Tone::Plain);
    }
    let each = &result.curve;
    if let Some(share) = each.processors_a_client {
        add("Processor a client", format!("{:.3} %", share * 100.0), Vec::new(), Tone::Plain);
    }
    if let Some(memory) = each.memory_a_client {
        let without =
            each.memory_without.map(|without| format!("and {} without clients", bytes(without as u64)));
        add("Memory a client", bytes(memory as u64), without.into_iter().collect(), Tone::Plain);
    }
    if let Some(traffic) = each.bytes_a_client {
        add("Traffic a client", format!("{}/s", bytes(traffic as u64)), Vec::new(), Tone::Plain);
    }
    if let Some(plan) = &result.plan {
        let note = format!("for {} users", count(plan.users));
        add("Machines", count(plan.machines), vec![note], Tone::Plain);
    }
    cards
}

fn plan(plan: &Plan) -> Markup {
    let machines = Table {
        label: "Machines by what limits them",
        class: None,
        caption: Caption::Quiet(
            "How many machines each limit would take by itself. Machines are taken not to talk to each other",
        ),
        columns: &[Words("Limit"), Figure("machines"), Words("")],
    };
    html! {
        p {
            strong { (counted(plan.machines, "such machine")) } " for " (count(plan.users)) " users, with "
            (format!("{:.0}", plan.headroom * 100.0)) " % of each left free, decided by " (plan.limit.name()) "."
        }
        (machines.of(&html! {
            @for need in &plan.needs {
                tr {
                    th scope="row" { (need.limit.name()) }
                    td.figure { (count(need.machines)) }
                    td { @if need.limit == plan.limit { "decides" } }
                }
            }
        }))
    }
}

fn recovery(result: &CapacityResult) -> Option<Markup> {
    let recovery = result.recovery.as_ref()?;
    let tone = if recovery.after_us.is_some() { Tone::Good } else { Tone::Bad };
    Some(html! { p { (sign(tone)) " " (printable(&recovered(&result.axis, recovery))) "." } })
}

fn notes(result: &CapacityResult) -> Option<Markup> {
    (!result.notes.is_empty())
        .then(|| html! { ul.stories { @for note in &result.notes { li { (printable(note)) } } } })
}

fn setup(result: &CapacityResult) -> Markup {
    let text = |value: &str| html! { (printable(value)) };
    let code = |value: &str| html! { code { (printable(value)) } };
    let scenario = &result.scenario;
    let mut of_scenario: Vec<Fact> = vec![("file", code(&scenario.file))];
    if !scenario.hash.is_empty() {
        of_scenario.push(("SHA-1", code(&scenario.hash)));
    }
    // What the axis overrode in the last step is no property of the search.
    of_scenario.extend([
        ("raised", text(&result.axis.to_string())),
        ("precision", text(&format!("{:.1} %", result.precision * 100.0))),
        ("seed", text(&scenario.seed.to_string())),
        ("began", text(&result.started)),
        ("took", text(&duration(Duration::from_micros(result.duration_us)))),
    ]);
    html! {
        div.setup {
            div { h3 { "Scenario" } (facts(&of_scenario)) }
            @if !result.thresholds.is_empty() {
                div {
                    h3 { "Thresholds" }
                    ul.stories { @for asked in &result.thresholds { li { code { (printable(&asked.text)) } } } }
                }
            }
            div { h3 { "Server" } (facts(&target(&result.target))) }
            div { h3 { "Machine" } (facts(&environment(&result.environment, &result.tool_version))) }
        }
    }
}

#[cfg(test)]
mod tests;
