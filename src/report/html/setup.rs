//! What was run, against what, and on which machine: all that is needed to run it again.

use maud::{Markup, html};

use crate::measure::format::{self, count, counted, printable, share};
use crate::report::RunResult;
use crate::report::result::{Environment, TargetInfo, TargetKind};

use super::head::{measured_seconds, micros};
use super::page::Column::{Figure, Words};
use super::page::{Caption, Place, Table};

/// One fact: what it is called, and what stands there.
pub(crate) type Fact = (&'static str, Markup);

/// The scenario, the server, the machine, the clients, the phases and everything that was counted.
pub(super) fn render(run: &RunResult, place: Place<'_>) -> Markup {
    html! {
        div.setup {
            div { (place.head("Scenario")) (facts(&scenario(run))) }
            div { (place.head("Server")) (facts(&server(run))) }
            div { (place.head("Machine and generator")) (facts(&machine(run))) }
            @if !run.phases.is_empty() { div { (place.head("Phases")) (phases(run)) } }
            div { (place.head("Counted")) (counters(run)) }
        }
    }
}

/// Facts as a list of terms.
pub(crate) fn facts(facts: &[Fact]) -> Markup {
    html! {
        dl.list { @for (term, value) in facts { dt { (term) } dd { (value) } } }
    }
}

fn text(value: &str) -> Markup {
    html! { (printable(value)) }
}

fn code(value: &str) -> Markup {
    html! { code { (printable(value)) } }
}

fn scenario(run: &RunResult) -> Vec<Fact> {
    let scenario = &run.scenario;
    let mut facts: Vec<Fact> = vec![("file", code(&scenario.file))];
    facts.extend(scenario.spec.as_ref().map(|spec| ("examines", text(spec))));
    if !scenario.hash.is_empty() {
        facts.push(("SHA-1", code(&scenario.hash)));
    }
    facts.push(("seed", text(&scenario.seed.to_string())));
    if !scenario.overrides.is_empty() {
        facts.push(("overridden", html! { @for (at, flag) in scenario.overrides.iter().enumerate() { @if at > 0 { ", " } (code(flag)) } }));
    }
    let groups =
        run.clients.iter().map(|entry| format!("{} {}", count(entry.count.into()), printable(&entry.group)));
    facts.push((
        "clients",
        text(&format!("{}: {}", counted(run.clients(), "client"), groups.collect::<Vec<_>>().join(", "))),
    ));
    facts.push(("began", text(&run.started)));
    facts.push(("took", text(&micros(run.duration_us))));
    if run.measured_us > 0 && run.measured_us != run.duration_us {
        facts.push(("measured", text(&micros(run.measured_us))));
    }
    facts
}

fn server(run: &RunResult) -> Vec<Fact> {
    let mut facts = target(&run.target);
    if let Some(server) = &run.server {
        facts.push((
            "processor",
            text(&format!(
                "{} in all, {} while measured",
                micros(server.cpu_us),
                micros(server.cpu_measured_us)
            )),
        ));
        facts.push((
            "memory",
            text(&format!(
                "{} before the first client, {} at its peak",
                format::bytes(server.memory_before),
                format::bytes(server.memory_peak)
            )),
        ));
        let growth = server.memory_peak.saturating_sub(server.memory_before);
        if let Some(each) = growth.checked_div(run.clients()).filter(|each| *each > 0) {
            facts.push(("per client", text(&format!("about {}", format::bytes(each)))));
        }
    }
    facts
}

/// The server and how it came to be there.
pub(crate) fn target(target: &TargetInfo) -> Vec<Fact> {
    let kind = match target.kind {
        TargetKind::Bundled => "the reference server, started by sockrates",
        TargetKind::Command => "started by sockrates",
        TargetKind::Url => "was running",
    };
    let mut facts: Vec<Fact> = Vec::new();
    facts.extend(target.software.as_ref().map(|software| ("software", text(software))));
    facts.push(("how", text(kind)));
    facts.extend(target.command.as_ref().map(|command| ("command", code(command))));
    facts.push(("address", code(&target.url)));
    facts
}

fn machine(run: &RunResult) -> Vec<Fact> {
    let mut facts = environment(&run.environment, &run.tool_version);
    if let Some(generator) = &run.generator {
        let busiest = generator.busiest_worker.map(|busy| format!(", the busiest {} at work", share(busy)));
        let workers = count(generator.workers.into());
        facts.push(("workers", text(&format!("{workers}{}", busiest.unwrap_or_default()))));
        facts.push((
            "generator",
            text(&format!(
                "{} of processor time, {} of memory at its peak",
                micros(generator.cpu_us),
                format::bytes(generator.memory_peak)
            )),
        ));
        if generator.due > 0 {
            let seconds = measured_seconds(run);
            let rate = |value: u64| format::rate(value as f64 / seconds);
            facts.push((
                "pace",
                text(&format!("{} asked, {} achieved", rate(generator.due), rate(generator.begun))),
            ));
        }
    }
    facts
}

/// The machine.
pub(crate) fn environment(environment: &Environment, version: &str) -> Vec<Fact> {
    let mut facts: Vec<Fact> = vec![("sockrates", text(version)), ("system", text(&environment.os))];
    facts.push((
        "processors",
        match &environment.processor {
            Some(processor) => text(&format!("{} of {processor}", environment.cpus)),
            None => text(&environment.cpus.to_string()),
        },
    ));
    facts.extend(environment.memory.map(|bytes| ("memory", text(&format::bytes(bytes)))));
    facts
        .extend(environment.open_files.map(|files| ("open files", text(&format!("up to {}", count(files))))));
    facts.extend(environment.co_located.map(|shared| {
        (
            "placement",
            text(match shared {
                true => "clients and server on one machine: they take each other's processor",
                false => "clients and server on different machines",
            }),
        )
    }));
    facts
}

fn phases(run: &RunResult) -> Markup {
    let columns = [Words("Phase"), Figure("from"), Figure("to"), Figure("took")];
    let caption = Caption::Spoken("Stretches of the run");
    Table { label: "Phases", class: None, caption, columns: &columns }.of(&html! {
        @for phase in &run.phases {
            tr {
                th scope="row" { (printable(&phase.name)) }
                td.figure { (micros(phase.from_us)) }
                td.figure { (micros(phase.to_us)) }
                td.figure { (micros(phase.to_us.saturating_sub(phase.from_us))) }
            }
        }
    })
}

fn counters(run: &RunResult) -> Markup {
    let seconds = measured_seconds(run);
    let columns = [Words("What"), Figure("how many"), Figure("in a second")];
    let caption = Caption::Spoken("Counted by the clients");
    Table { label: "Counters", class: None, caption, columns: &columns }.of(&html! {
        @for counter in &run.counters {
            @let rate = counter.value as f64 / seconds;
            tr {
                th scope="row" { (printable(&counter.name)) }
                @match counter.name.starts_with("bytes") {
                    true => {
                        td.figure { (format::bytes(counter.value)) }
                        td.figure { (format::bytes(rate.round() as u64)) "/s" }
                    }
                    false => {
                        td.figure { (count(counter.value)) }
                        td.figure { (format::rate(rate)) }
                    }
                }
            }
        }
    })
}
