//! The verdict in one sentence, and the figures that are asked for first.

use std::time::Duration;

use maud::{Markup, html};

use crate::measure::format::{self, count, counted, printable};
use crate::observe::{Counter, Metric};
use crate::report::RunResult;
use crate::report::result::{MetricResult, OutcomeResult, TargetInfo, TargetKind, ThresholdResult};

use super::page::{Place, Tone};
use super::tone;

/// The verdict, the facts and the cards.
pub(super) fn render(run: &RunResult, place: Place<'_>) -> Markup {
    let status = run.verdict.status;
    html! {
        (verdict(tone(status), &html! {
            (place.head(&run.scenario.name))
            p.sentence {
                strong { (capital(status.name())) } ": " (printable(&run.verdict.reason)) "."
            }
            ul.facts {
                li { "exit code " (run.verdict.exit_code) }
                li { (counted(run.clients(), "client")) }
                li { (micros(run.duration_us)) }
                li { "against " (server(&run.target)) }
                li { (printable(&run.started)) }
            }
            @if let Some(about) = &run.scenario.about { p.about { (printable(about)) } }
        }))
        (dealt(&cards(run)))
    }
}

/// What became of it, beside its mark.
pub(crate) fn verdict(tone: Tone, told: &Markup) -> Markup {
    html! {
        header class={ "verdict " (tone.class()) } {
            svg.mark viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" { (mark(tone)) }
            div { (told) }
        }
    }
}

/// The cards beside each other.
pub(crate) fn dealt(cards: &[Card]) -> Markup {
    html! {
        @if !cards.is_empty() {
            dl.cards {
                @for card in cards {
                    div class={ "card " (card.tone.class()) } {
                        dt { (card.name) }
                        dd {
                            span.value { (card.value) }
                            @for note in &card.notes { " " span.note { (note) } }
                        }
                    }
                }
            }
        }
    }
}

/// A duration for people.
pub(crate) fn micros(value: u64) -> String {
    format::duration(Duration::from_micros(value))
}

/// What a server is called: what it says of itself, or how it came to be there.
pub(crate) fn server(target: &TargetInfo) -> String {
    match (&target.software, target.kind) {
        (Some(software), _) => printable(software),
        (None, TargetKind::Bundled) => "the reference server".to_owned(),
        (None, _) => printable(&target.url),
    }
}

/// The first letter as a capital.
pub(crate) fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A sign in a disc.
fn mark(tone: Tone) -> Markup {
    let path = match tone {
        Tone::Good => "M14 25l7 7 14-15",
        Tone::Bad => "M16 16l16 16M32 16l-16 16",
        Tone::Doubtful => "M18 19a6 6 0 1 1 9 5.2c-2.2 1.2-3 2.4-3 4.8M24 34.5v.2",
        Tone::Plain => "M16 24h16",
    };
    html! {
        circle.disc cx="24" cy="24" r="23" {}
        path.glyph d=(path) {}
    }
}

/// A figure that is asked for first.
pub(crate) struct Card {
    /// What it is.
    pub name: String,
    /// The figure for people.
    pub value: String,
    /// What belongs to it.
    pub notes: Vec<String>,
    /// How it is judged.
    pub tone: Tone,
}

fn cards(run: &RunResult) -> Vec<Card> {
    let mut cards: Vec<Card> = connects(run).into_iter().collect();
    if let Some(found) = &run.deliveries {
        let mut fault = |name: &str, value: u64, note: String, is_always: bool| {
            let tone = if value > 0 { Tone::Bad } else { Tone::Good };
            if value > 0 || is_always {
                cards.push(Card { name: name.to_owned(), value: count(value), notes: vec![note], tone });
            }
        };
        fault("Missing", found.missing, format!("of {} that had to arrive", count(found.expected)), true);
        fault("Leaked", found.leaked, format!("of {} that must not arrive", count(found.forbidden)), true);
        fault("Duplicate", found.duplicate, format!("of {}", counted(found.receipts, "receipt")), false);
        fault("Out of order", found.disordered, format!("of {}", counted(found.receipts, "receipt")), false);
    }
    let told = [Metric::Delivery, Metric::Ack, Metric::Connect];
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
        (_, 0) => format!("{} of {} accepted", count(accepted), counted(asked, "connect")),
        _ => format!("{} of {} failed", count(failed), counted(asked, "connect")),
    };
    let tone = if failed > 0 { Tone::Doubtful } else { Tone::Plain };
    Some(Card { name: "Clients".to_owned(), value: count(run.clients()), notes: vec![note], tone })
}

fn latency(run: &RunResult, metric: Metric) -> Option<Card> {
    let (name, metric) = (metric.name(), run.metric(metric)?);
    let (word, value) = highest(metric);
    let limit = run.thresholds.iter().find(|threshold| is_about(threshold, name));
    let median = metric.p50_us.map_or_else(|| "beyond 2 min".to_owned(), measured);
    let mut notes = match metric.count {
        0..=1 => vec!["the only one".to_owned()],
        _ => vec![format!("p50 {median}")],
    };
    notes.extend(limit.map(|limit| format!("asked: {}", printable(demand(limit, name)))));
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
        0..100 => ("max", measured(metric.max_us)),
        _ => ("p99", metric.p99_us.map_or_else(|| "beyond 2 min".to_owned(), measured)),
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

fn measured(micros: u64) -> String {
    format::measured(Duration::from_micros(micros))
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
        let note = format!("{} asked", format::rate(asked));
        return Some(Card {
            name: "Rate achieved".to_owned(),
            value: format::rate(achieved),
            notes: vec![note],
            tone,
        });
    }
    let received = run.counter(Counter::DeliveryReceived);
    let note = format!("{} messages", count(received));
    let value = format::rate(received as f64 / seconds);
    (received > 0).then(|| Card {
        name: "Deliveries".to_owned(),
        value,
        notes: vec![note],
        tone: Tone::Plain,
    })
}

fn cost(run: &RunResult) -> Option<Card> {
    let server = run.server.as_ref()?;
    let busy = server.cpu_measured_us as f64 / 1e6 / measured_seconds(run);
    Some(Card {
        name: "Server".to_owned(),
        value: format!("{} CPU", format::share(busy)),
        notes: vec![format!("{} of memory at its peak", format::bytes(server.memory_peak))],
        tone: Tone::Plain,
    })
}
