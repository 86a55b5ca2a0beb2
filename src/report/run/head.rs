//! The verdict in one sentence, the figures that are asked for first, and what was run in one line.

use std::time::Duration;

use crate::audit::Fault;
use crate::measure::format::{self, capital, count, counted, measured};
use crate::observe::{Counter, Metric};
use crate::report::RunResult;
use crate::report::block::{Card, Finding, Text, Tone, Verdict};
use crate::report::result::{
    MetricResult, NodeInfo, OutcomeResult, ServerEnd, TargetInfo, TargetKind, ThresholdResult,
};

use super::{micros, tone};

/// The judgement.
pub(super) fn verdict(run: &RunResult) -> Verdict {
    let scenario = &run.scenario;
    let mut facts: Vec<Text> = scenario.spec.iter().map(|spec| Text::from(&**spec)).collect();
    facts.extend([counted(run.clients(), "client"), micros(run.duration_us)].map(Text::from));
    if !scenario.overrides.is_empty() {
        facts.push(Text::from("changed by ").code(scenario.overrides.join(" ")));
    }
    let more = [
        format!("exit code {}", run.verdict.exit_code),
        format!("against {}", server(&run.target)),
        run.started.clone(),
    ];
    Verdict {
        tone: tone(run),
        title: scenario.name.clone(),
        status: Some(run.verdict.status.name().to_owned()),
        sentences: vec![format!("{}.", run.verdict.reason).into()],
        facts,
        more_facts: more.map(Text::from).to_vec(),
        about: scenario.about.clone(),
        is_last: false,
    }
}

/// The last lines of a server that has ended during the run.
pub(super) fn last_words(end: &ServerEnd) -> Finding {
    let whose = end.whose();
    let words = match &end.output[..] {
        [] => format!("{} printed nothing before it ended.", capital(&whose)),
        [_] => format!("The last line that {whose} printed:"),
        _ => format!("The last lines that {whose} printed:"),
    };
    let tone = if end.is_success { Tone::Doubtful } else { Tone::Bad };
    let notes = end.output.iter().map(|line| Text::default().code(line.as_str())).collect();
    Finding { notes, ..Finding::new(tone, Text::default().strong(words)) }
}

/// What was run, where and by what.
pub(super) fn foot(run: &RunResult) -> Vec<Text> {
    let environment = &run.environment;
    let mut facts = vec![
        target_in_words(&run.target),
        format!("sockrates {}", run.tool_version),
        format!("{}, {}", environment.os, counted(environment.cpus.into(), "cpu")),
    ];
    facts.extend([format!("seed {}", run.scenario.seed), run.started.clone()]);
    facts.into_iter().map(Text::from).collect()
}

/// The server, and how it was found or started.
pub(crate) fn target_in_words(target: &TargetInfo) -> String {
    let url = &target.url;
    let software = target.software.as_ref().map_or_else(String::new, |software| format!(" ({software})"));
    if !target.nodes.is_empty() {
        let node = |node: &NodeInfo| format!("{} at {}", node.name, node.url);
        let nodes: Vec<String> = target.nodes.iter().map(node).collect();
        return format!("{} nodes, {}{software}", target.nodes.len(), nodes.join(", "));
    }
    match (target.kind, &target.command) {
        (TargetKind::Bundled, _) => format!("reference server at {url}"),
        (TargetKind::Command, Some(command)) => format!("{command} at {url}{software}"),
        (TargetKind::Command | TargetKind::Url, _) => format!("{url}{software}"),
    }
}

/// The name of a server: the software that it names, or how it was found or started.
pub(crate) fn server(target: &TargetInfo) -> String {
    match (&target.software, target.kind) {
        (Some(software), _) => software.clone(),
        (None, TargetKind::Bundled) => "the reference server".to_owned(),
        (None, _) => target.url.clone(),
    }
}

/// The figures.
pub(super) fn cards(run: &RunResult) -> Vec<Card> {
    let mut cards: Vec<Card> = connects(run).into_iter().collect();
    if let Some(found) = &run.deliveries {
        let mut fault = |name: &str, kind: Fault, note: String, is_always: bool| {
            let (value, tone) = (found.fault(kind), found.tone(kind));
            if value > 0 || is_always {
                cards.push(Card::new(name, count(value), note, tone));
            }
        };
        fault("Missing", Fault::Missing, format!("of {} that had to arrive", count(found.expected)), true);
        fault("Leaked", Fault::Leaked, format!("of {} that must not arrive", count(found.forbidden)), true);
        fault("Duplicate", Fault::Duplicate, format!("of {}", counted(found.receipts, "receipt")), false);
        fault("Out of order", Fault::Disordered, format!("of {}", counted(found.receipts, "receipt")), false);
    }
    let told = [Metric::Delivery, Metric::Response, Metric::Ack, Metric::Connect];
    cards.extend(told.into_iter().filter_map(|metric| latency(run, metric)));
    cards.extend(rate(run));
    cards.extend(cost(run));
    cards
}

fn connects(run: &RunResult) -> Option<Card> {
    let (asked, accepted) = (run.counter(Counter::ConnectAsked), run.counter(Counter::ConnectOk));
    let failed = run.counter(Counter::ConnectFailed);
    let note = match (asked, failed) {
        (0, _) => return None,
        (_, 0) => {
            let asked = asked.saturating_sub(run.counter(Counter::ConnectRefused));
            format!("{} of {} accepted", count(accepted), counted(asked, "connect"))
        }
        _ => format!("{} of {} failed", count(failed), counted(asked, "connect")),
    };
    let tone = if failed > 0 { Tone::Doubtful } else { Tone::Plain };
    Some(Card::new("Clients", count(run.clients()), note, tone))
}

fn latency(run: &RunResult, metric: Metric) -> Option<Card> {
    let (name, metric) = (metric.name(), run.metric(metric)?);
    let (word, value) = highest(metric);
    let limit = run.thresholds.iter().find(|threshold| is_about(threshold, name));
    let median = metric.p50_us.map_or_else(|| "beyond 2 min".to_owned(), measured_micros);
    let mut notes = match metric.count {
        0..=1 => vec!["the only one".to_owned()],
        _ => vec![format!("p50 {median}")],
    };
    notes.extend(limit.map(|limit| format!("threshold: {}", demand(limit, name))));
    let tone = match limit.map(|limit| limit.outcome) {
        None => Tone::Plain,
        Some(OutcomeResult::Met) => Tone::Good,
        Some(OutcomeResult::Missed) => Tone::Bad,
        Some(OutcomeResult::NoData | OutcomeResult::TooFew) => Tone::Doubtful,
    };
    Some(Card { name: format!("{} {word}", capital(name)), value, notes, tone })
}

/// The highest percentile that has enough values, up to p99.
fn highest(metric: &MetricResult) -> (&'static str, String) {
    match metric.count {
        0..100 => ("max", measured_micros(metric.max_us)),
        _ => ("p99", metric.p99_us.map_or_else(|| "beyond 2 min".to_owned(), measured_micros)),
    }
}

/// Whether a threshold limits a latency of this series, for all clients.
pub(super) fn is_about(threshold: &ThresholdResult, metric: &str) -> bool {
    threshold.unit == "us" && is_of_all(&threshold.text, metric)
}

/// Whether the text of a threshold begins with this series, and is about all clients.
pub(crate) fn is_of_all(text: &str, metric: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some(metric) && words.all(|word| word != "of")
}

/// The threshold without the name of its series.
pub(super) fn demand<'a>(threshold: &'a ThresholdResult, metric: &str) -> &'a str {
    threshold.text.trim_start().strip_prefix(metric).unwrap_or(&threshold.text).trim()
}

fn measured_micros(value: u64) -> String {
    measured(Duration::from_micros(value))
}

/// How long the part took that rates are about, in seconds.
pub(super) fn measured_seconds(run: &RunResult) -> f64 {
    let micros = if run.measured_us > 0 { run.measured_us } else { run.duration_us };
    (micros as f64 / 1e6).max(1e-6)
}

fn rate(run: &RunResult) -> Option<Card> {
    let seconds = measured_seconds(run);
    if let Some(generator) = run.generator.as_ref().filter(|generator| generator.due > 0) {
        let (asked, achieved) = (generator.due as f64 / seconds, generator.begun as f64 / seconds);
        let tone = if generator.doubts.is_empty() { Tone::Plain } else { Tone::Doubtful };
        let note = format!("{} scheduled", format::rate(asked));
        return Some(Card::new("Rate achieved", format::rate(achieved), note, tone));
    }
    let received = run.counter(Counter::DeliveryReceived);
    let note = format!("{} messages", count(received));
    let value = format::rate(received as f64 / seconds);
    (received > 0).then(|| Card::new("Deliveries", value, note, Tone::Plain))
}

fn cost(run: &RunResult) -> Option<Card> {
    let server = run.server.as_ref()?;
    let busy = server.cpu_measured_us as f64 / 1e6 / measured_seconds(run);
    let note = format!("{} of memory at its peak", format::bytes(server.memory_peak));
    Some(Card::new("Server", format!("{} CPU", format::share(busy)), note, Tone::Plain))
}
