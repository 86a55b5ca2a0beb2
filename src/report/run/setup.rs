//! What was run, against what, and on which machine: all that is needed to run it again.

use crate::measure::format::{self, count, counted};
use crate::report::RunResult;
use crate::report::block::{Block, Text, code, part, wide};
use crate::report::result::{Environment, NodeInfo, TargetInfo, TargetKind};

use super::micros;

/// One fact: what it is called, and what stands there.
pub(crate) type Fact = (String, Text);

fn fact(term: &str, value: impl Into<Text>) -> Fact {
    (term.to_owned(), value.into())
}

/// The scenario, the server and the machine.
pub(super) fn section(run: &RunResult, id: &str) -> Block {
    let facts = |title: &str, facts| part(title, vec![Block::Facts(facts)]);
    let parts = vec![
        facts("Scenario", scenario(run)),
        facts("Server", server(run)),
        facts("Machine and generator", machine(run)),
    ];
    wide(id, "What was run, and where", parts)
}

fn scenario(run: &RunResult) -> Vec<Fact> {
    let scenario = &run.scenario;
    let mut facts = vec![fact("file", code(&*scenario.file))];
    facts.extend(scenario.spec.as_ref().map(|spec| fact("examines", &**spec)));
    if !scenario.hash.is_empty() {
        facts.push(fact("SHA-1", code(&*scenario.hash)));
    }
    facts.push(fact("seed", scenario.seed.to_string()));
    if !scenario.overrides.is_empty() {
        facts.push(fact(
            "overridden",
            Text::joined(scenario.overrides.iter().map(|flag| code(&**flag)), ", "),
        ));
    }
    let groups = run.clients.iter().map(|entry| format!("{} {}", count(entry.count.into()), entry.group));
    let groups = groups.collect::<Vec<_>>().join(", ");
    facts.push(fact("clients", format!("{}: {groups}", counted(run.clients(), "client"))));
    facts.push(fact("started", &*run.started));
    facts.push(fact("duration", micros(run.duration_us)));
    // That the audit waited for the last deliveries is worth no line.
    if run.measured_us > 0 && run.measured_us.abs_diff(run.duration_us) > run.duration_us / 100 {
        facts.push(fact("measured", micros(run.measured_us)));
    }
    facts
}

fn server(run: &RunResult) -> Vec<Fact> {
    let mut facts = target(&run.target);
    if let Some(server) = &run.server {
        let (all, measured) = (micros(server.cpu_us), micros(server.cpu_measured_us));
        facts.push(fact("processor", format!("{all} in all, {measured} while measured")));
        let (before, peak) = (format::bytes(server.memory_before), format::bytes(server.memory_peak));
        facts.push(fact("memory", format!("{before} before the first client, {peak} at its peak")));
        for node in &server.nodes {
            let (cpu, peak) = (micros(node.cpu_us), format::bytes(node.memory_peak));
            facts.push((
                format!("cost of {}", node.name),
                format!("{cpu} of processor time, {peak} of memory at its peak").into(),
            ));
        }
        let growth = server.memory_peak.saturating_sub(server.memory_before);
        if let Some(each) = growth.checked_div(run.clients()).filter(|each| *each > 0) {
            facts.push(fact("per client", format!("about {}", format::bytes(each))));
        }
    }
    facts
}

/// The server, and how it was found or started.
pub(crate) fn target(target: &TargetInfo) -> Vec<Fact> {
    let kind = match target.kind {
        TargetKind::Bundled => "the reference server, started by sockrates",
        TargetKind::Command => "started by sockrates",
        TargetKind::Url => "was already running",
    };
    let mut facts: Vec<Fact> = target.software.iter().map(|software| fact("software", &**software)).collect();
    facts.push(fact("how", kind));
    if target.nodes.is_empty() {
        facts.extend(target.command.as_ref().map(|command| fact("command", code(&**command))));
        facts.push(fact("address", code(&*target.url)));
    }
    for NodeInfo { name, url, command } in &target.nodes {
        let command = command.as_ref().map(|command| code(&**command));
        facts.push((format!("node {name}"), Text::joined(command.into_iter().chain([code(&**url)]), " at ")));
    }
    facts.extend(target.notes.iter().map(|note| fact("note", &**note)));
    facts
}

fn machine(run: &RunResult) -> Vec<Fact> {
    let mut facts = environment(&run.environment, &run.tool_version);
    facts.extend(run.generator.iter().map(|generator| fact("workers", count(generator.workers.into()))));
    facts
}

/// The machine.
pub(crate) fn environment(environment: &Environment, version: &str) -> Vec<Fact> {
    let mut facts = vec![fact("sockrates", version), fact("system", &*environment.os)];
    facts.push(match &environment.processor {
        Some(processor) => fact("processors", format!("{} of {processor}", environment.cpus)),
        None => fact("processors", environment.cpus.to_string()),
    });
    facts.extend(environment.memory.map(|bytes| fact("memory", format::bytes(bytes))));
    facts.extend(environment.open_files.map(|files| fact("open files", format!("up to {}", count(files)))));
    facts.extend(environment.co_located.map(|shared| {
        let words = match shared {
            true => "clients and server on one machine: they compete for its processors",
            false => "clients and server on different machines",
        };
        fact("placement", words)
    }));
    facts
}
