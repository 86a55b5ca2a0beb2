//! What was asked of the load generator and what it gave, and what the run cost both sides. Few lines, and none where
//! nothing is known.

use std::time::Duration;

use crate::measure::format::{self, printable};
use crate::report::RunResult;
use crate::report::course::{GeneratorResult, ServerResult};

use super::layout::{Page, Tone, listed};

pub(super) fn render(page: &mut Page, result: &RunResult) {
    let lines = [pace(result), result.generator.as_ref().map(generator), server(result)];
    let lines: Vec<Vec<String>> = lines.into_iter().flatten().filter(|facts| !facts.is_empty()).collect();
    if lines.is_empty() {
        return;
    }
    page.heading("Load");
    for facts in &lines {
        page.wrapped("  ", "    ", &[(&listed(facts), Tone::Plain)]);
    }
    for doubt in result.generator.iter().flat_map(|generator| &generator.doubts) {
        page.wrapped("  ", "    ", &[("? ", Tone::Doubtful), (&printable(&doubt.sentence), Tone::Plain)]);
    }
}

/// The rates, and the stretches of the run.
fn pace(result: &RunResult) -> Option<Vec<String>> {
    let mut facts = Vec::new();
    if let Some(GeneratorResult { due, begun, .. }) = result.generator.as_ref().filter(|one| one.due > 0) {
        let seconds = (result.measured_us.max(1)) as f64 / 1e6;
        let rate = |number: u64| format::rate(number as f64 / seconds);
        facts.push(format!("{} asked for, {} begun", rate(*due), rate(*begun)));
    }
    facts.extend(result.phases.iter().map(|phase| {
        format!("{} {}", printable(&phase.name), time(phase.to_us.saturating_sub(phase.from_us)))
    }));
    Some(facts)
}

fn generator(generator: &GeneratorResult) -> Vec<String> {
    let mut facts = vec![format!("clients: {} of processor time", time(generator.cpu_us))];
    facts.extend(generator.busiest_worker.map(|share| format!("busiest thread {}", format::share(share))));
    facts.push(format!("{} of memory", format::bytes(generator.memory_peak)));
    facts
}

fn server(result: &RunResult) -> Option<Vec<String>> {
    let ServerResult { cpu_us, cpu_measured_us, memory_before, memory_peak } = result.server.as_ref()?;
    let mut facts = vec![format!("server: {} of processor time", time(*cpu_us))];
    if result.measured_us > 0 {
        let processors = *cpu_measured_us as f64 / result.measured_us as f64;
        facts.push(format!("{} while measured", format::share(processors)));
    }
    facts.push(format!(
        "{} of memory, {} before",
        format::bytes(*memory_peak),
        format::bytes(*memory_before)
    ));
    Some(facts)
}

fn time(micros: u64) -> String {
    format::duration(Duration::from_micros(micros))
}
