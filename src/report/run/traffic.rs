//! What the clients counted, what was asked of the load generator and what it did, and what the run cost both sides.

use super::head::measured_seconds;
use super::micros;
use crate::measure::format::{self, count, counted};
use crate::observe::Counter;
use crate::report::RunResult;
use crate::report::block::{Block, Column, Detail, Row, Table, Text, part};
use crate::report::result::CounterResult;

/// A fact, where there is one.
fn fact(is_there: bool, term: &str, value: impl FnOnce() -> String) -> Option<(String, Text)> {
    is_there.then(|| (term.to_owned(), value().into()))
}

/// What was counted.
pub(super) fn traffic(run: &RunResult) -> Vec<Block> {
    let (asked, ok, dropped) =
        (run.counter(Counter::ConnectAsked), run.counter(Counter::ConnectOk), run.counter(Counter::Dropped));
    let (sent, received, acks) =
        (run.counter(Counter::Sent), run.counter(Counter::Received), run.counter(Counter::AckAsked));
    let (fences, of_one_node) = (run.counter(Counter::Fences), run.counter(Counter::FencesOfOneNode));
    let responses = run.counter(Counter::ResponseAsked);
    let (bytes_in, bytes_out) = (run.counter(Counter::BytesIn), run.counter(Counter::BytesOut));
    let facts: Vec<(String, Text)> = [
        fact(asked > 0, "connects", || {
            let refused = match run.counter(Counter::ConnectRefused) {
                0 => String::new(),
                refused => format!(", {} refused where a step demands it", count(refused)),
            };
            format!("{} of {} succeeded{refused}", count(ok), count(asked))
        }),
        fact(dropped > 0, "dropped", || counted(dropped, "connection")),
        fact(sent + received > 0, "events", || format!("{} sent, {} received", count(sent), count(received))),
        fact(acks > 0, "acks", || {
            format!("{} of {} received", count(run.counter(Counter::AckReceived)), count(acks))
        }),
        fact(responses > 0, "responses", || {
            format!("{} of {} received", count(run.counter(Counter::ResponseReceived)), count(responses))
        }),
        fact(fences > 0, "fences", || format!("{} of sockrates' own", counted(fences, "round trip"))),
        fact(of_one_node > 0, "silence", || {
            let because = match (run.target.nodes.is_empty(), run.agents.is_empty()) {
                (true, _) => {
                    "no broadcast of the contract reaches everyone, or the node of a client behind the balancer is not known"
                }
                (false, true) => {
                    "no broadcast of the contract reaches everyone, or the server does not pass on those of sockrates"
                }
                (false, false) => {
                    "no broadcast of the contract reaches everyone, or no client of the same agent was at another node"
                }
            };
            format!(
                "weaker in {}: {because}, so it is not known whether something was still under way between nodes",
                counted(of_one_node, "`expect_none`")
            )
        }),
        fact(bytes_in + bytes_out > 0, "bytes", || {
            format!("{} in, {} out", format::bytes(bytes_in), format::bytes(bytes_out))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut blocks = Vec::new();
    if !facts.is_empty() {
        blocks.push(Block::Facts(facts));
    }
    if !run.counters.is_empty() {
        blocks.push(Block::From(Detail::Everything, vec![Block::Table(counters(run))]));
    }
    blocks
}

fn counters(run: &RunResult) -> Table {
    let seconds = measured_seconds(run);
    let columns = vec![Column::words("Counter"), Column::figures("total"), Column::figures("per second")];
    let row = |counter: &CounterResult| {
        let rate = counter.value as f64 / seconds;
        match counter.name.starts_with("bytes") {
            true => Row::of([
                counter.name.clone(),
                format::bytes(counter.value),
                format!("{}/s", format::bytes(rate.round() as u64)),
            ]),
            false => Row::of([counter.name.clone(), count(counter.value), format::rate(rate)]),
        }
    };
    Table::new("Counters of the clients", columns).rows(run.counters.iter().map(row))
}

/// The rates, the phases of the run, and what it cost.
pub(super) fn load(run: &RunResult) -> Vec<Block> {
    let mut facts: Vec<(String, Text)> = Vec::new();
    let mut add = |term: &str, parts: Vec<String>| facts.push((term.to_owned(), parts.join(" · ").into()));
    if let Some(generator) = run.generator.as_ref().filter(|generator| generator.due > 0) {
        let rate = |number: u64| format::rate(number as f64 / measured_seconds(run));
        add(
            "pace",
            vec![format!("{} scheduled", rate(generator.due)), format!("{} started", rate(generator.begun))],
        );
    }
    if !run.phases.is_empty() {
        let took = |phase: &crate::report::course::PhaseResult| {
            format!("{} {}", phase.name, micros(phase.to_us.saturating_sub(phase.from_us)))
        };
        add("phases", run.phases.iter().map(took).collect());
    }
    if let Some(generator) = &run.generator {
        let mut parts = vec![format!("{} of processor time", micros(generator.cpu_us))];
        let load = |share| format!("highest load of one worker thread {}", format::share(share));
        parts.extend(generator.busiest_worker.map(load));
        if run.agents.is_empty() {
            parts.push(format!("{} of memory", format::bytes(generator.memory_peak)));
        }
        add("clients", parts);
    }
    if let Some(server) = &run.server {
        let mut parts = vec![format!("{} of processor time", micros(server.cpu_us))];
        if run.measured_us > 0 {
            let processors = server.cpu_measured_us as f64 / run.measured_us as f64;
            parts.push(format!("{} of a processor while measured", format::share(processors)));
        }
        let (peak, before) = (format::bytes(server.memory_peak), format::bytes(server.memory_before));
        parts.push(format!("{peak} of memory, {before} before the first client"));
        add("server", parts);
    }
    if facts.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![Block::Facts(facts)];
    if !run.agents.is_empty() {
        blocks.push(part("Agents", vec![Block::Table(agents(run))]));
    }
    if !run.phases.is_empty() {
        blocks.push(Block::From(Detail::Everything, vec![part("Phases", vec![Block::Table(phases(run))])]));
    }
    blocks
}

fn agents(run: &RunResult) -> Table {
    let columns = vec![
        Column::words("Agent"),
        Column::figures("clients"),
        Column::figures("connected"),
        Column::figures("scheduled"),
        Column::figures("started"),
        Column::figures("lag p99"),
        Column::figures("processor time"),
        Column::figures("clock"),
    ];
    let rows = run.agents.iter().map(|agent| {
        let name = match agent.labels.is_empty() {
            true => agent.name.clone(),
            false => format!("{} ({})", agent.name, agent.labels.join(", ")),
        };
        Row::of([
            name,
            count(agent.clients),
            count(agent.connected),
            count(agent.due),
            count(agent.begun),
            agent.lag_p99_us.map_or_else(|| "–".to_owned(), micros),
            micros(agent.cpu_us),
            format!("± {}", micros(agent.clock_doubt_us)),
        ])
    });
    Table::new("The machines that played the clients", columns).rows(rows)
}

fn phases(run: &RunResult) -> Table {
    let columns = vec![
        Column::words("Phase"),
        Column::figures("from"),
        Column::figures("to"),
        Column::figures("duration"),
    ];
    let rows = run.phases.iter().map(|phase| {
        let (from, to) = (phase.from_us, phase.to_us);
        Row::of([phase.name.clone(), micros(from), micros(to), micros(to.saturating_sub(from))])
    });
    Table::new("Phases of the run", columns).rows(rows)
}
