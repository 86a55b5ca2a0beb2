//! A run as families of metrics, for what collects them: a scraper reads them, a collector has them pushed.
//!
//! A counter keeps its name in reports, with `_` for blanks; a latency is a histogram in seconds. Values of single groups and
//! labels have families of their own, so that a sum over a family counts nothing twice.

use std::collections::BTreeMap;
use std::time::Duration;

use super::result::{CounterResult, MetricResult, OutcomeResult, RunResult};
use crate::audit::Fault;
use crate::verdict::Status;

/// The upper edges of the buckets, in microseconds. They are finest where servers are.
const EDGES: [u64; 22] = [
    250,
    500,
    1_000,
    2_000,
    3_000,
    5_000,
    7_500,
    10_000,
    15_000,
    25_000,
    50_000,
    75_000,
    100_000,
    150_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    120_000_000,
];

/// Names and values that tell the values of a family apart.
pub(super) type Labels<'r> = Vec<(&'static str, &'r str)>;

/// Values of one kind.
pub(super) struct Family<'r> {
    /// Without a prefix and a suffix: `connect_failed`.
    pub(super) name: String,
    pub(super) help: String,
    pub(super) unit: Option<Unit>,
    pub(super) values: Values<'r>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Bytes,
    Ratio,
}

/// What a family holds.
pub(super) enum Values<'r> {
    /// What goes up and down.
    Gauges(Vec<(Labels<'r>, f64)>),
    /// What is counted since the run began.
    Counts(Vec<(Labels<'r>, u64)>),
    /// What adds up since the run began.
    Sums(Vec<(Labels<'r>, f64)>),
    /// How long something took.
    Latencies(Vec<(Labels<'r>, &'r MetricResult)>),
}

impl Values<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Values::Gauges(values) | Values::Sums(values) => values.is_empty(),
            Values::Counts(values) => values.is_empty(),
            Values::Latencies(values) => values.is_empty(),
        }
    }
}

/// A latency in buckets.
pub(super) struct Buckets {
    /// In seconds, of all values together.
    pub(super) sum: f64,
    pub(super) count: u64,
    /// The upper edge of each bucket in seconds, and how many values are in it. The last edge is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Buckets {
    /// None of what cannot be decoded: it was never measured here.
    pub(super) fn of(metric: &MetricResult) -> Option<Buckets> {
        let series = metric.series().ok()?;
        let mut below = 0;
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        for edge in EDGES {
            let so_far = metric.count - series.count_above(Duration::from_micros(edge)).min(metric.count);
            buckets.push((seconds(edge), so_far.saturating_sub(below)));
            below = below.max(so_far);
        }
        buckets.push((f64::INFINITY, metric.count - below));
        Some(Buckets { sum: sum(metric), count: metric.count, buckets })
    }
}

/// All values of a latency together, in seconds.
pub(super) fn sum(metric: &MetricResult) -> f64 {
    seconds(metric.mean_us) * metric.count as f64
}

/// The run so far, or the whole run once it is over. Families without values are left out.
pub(super) fn families(result: &RunResult, is_over: bool) -> Vec<Family<'_>> {
    let mut all = Vec::new();
    state(&mut all, result, is_over);
    counters(&mut all, "", "the whole run", &[("", &result.counters)]);
    latencies(&mut all, "latency", "Latencies of the whole run", &[("", &result.metrics)]);
    let parts = || result.parts.iter();
    let counted: Vec<(&str, &[CounterResult])> =
        parts().map(|part| (part.name.as_str(), part.counters.as_slice())).collect();
    counters(&mut all, "part_", "groups and labels about which thresholds ask", &counted);
    let timed: Vec<(&str, &[MetricResult])> =
        parts().map(|part| (part.name.as_str(), part.metrics.as_slice())).collect();
    latencies(&mut all, "part_latency", "Latencies of groups and labels about which thresholds ask", &timed);
    let causes = result.causes.iter();
    let causes =
        causes.map(|one| (vec![("counter", one.counter.as_str()), ("cause", &one.cause)], one.count));
    add(
        &mut all,
        "causes",
        "Connects that failed and connections that ended, by cause",
        None,
        Values::Counts(causes.collect()),
    );
    audit(&mut all, result);
    machines(&mut all, result);
    let outcomes = result.thresholds.iter().filter_map(|threshold| {
        let met = match threshold.outcome {
            OutcomeResult::Met => 1.0,
            OutcomeResult::Missed => 0.0,
            OutcomeResult::NoData | OutcomeResult::TooFew => return None,
        };
        Some((vec![("threshold", threshold.text.as_str())], met))
    });
    let help = "Whether a threshold holds so far, where there are samples enough";
    gauges(&mut all, "threshold_met", help, None, outcomes);
    let status = is_over.then(|| (vec![("status", status(result.verdict.status))], 1.0));
    gauges(&mut all, "verdict", "The verdict, once the run is over", None, status);
    all
}

fn state<'r>(all: &mut Vec<Family<'r>>, result: &'r RunResult, is_over: bool) {
    let labels = vec![
        ("file", result.scenario.file.as_str()),
        ("target", result.target.url.as_str()),
        ("version", result.tool_version.as_str()),
    ];
    gauges(all, "run_info", "What is played, and against what", None, [(labels, 1.0)]);
    let over = if is_over { 1.0 } else { 0.0 };
    gauges(all, "run_over", "Whether the run is over", None, [(vec![], over)]);
    let length = [(vec![], seconds(result.duration_us))];
    gauges(all, "run", "How long the run has taken", Some(Unit::Seconds), length);
    let connected = result.course.as_ref().and_then(|course| course.connected.last());
    let states = [("planned", result.clients()), ("connected", connected.copied().unwrap_or_default())];
    let states = states.map(|(state, count)| (vec![("state", state)], count as f64));
    gauges(all, "clients", "Clients by their state", None, states);
}

fn audit<'r>(all: &mut Vec<Family<'r>>, result: &'r RunResult) {
    let Some(audit) = &result.deliveries else { return };
    let pairs = [("must", audit.expected), ("must_not", audit.forbidden), ("undecided", audit.undecided)];
    let pairs = pairs.map(|(kind, count)| (vec![("judged", kind)], count as f64));
    gauges(all, "audit_pairs", "Pairs of a message and a client, by whether it had to arrive", None, pairs);
    let counts = [("messages", audit.messages), ("receipts", audit.receipts), ("late", audit.late)];
    let counts = counts.map(|(what, count)| (vec![("what", what)], count as f64));
    gauges(all, "audit_seen", "Messages and receipts that the audit has judged", None, counts);
    let faults = Fault::ALL
        .map(|fault| (vec![("fault", fault.name().trim_start_matches("delivery "))], audit.fault(fault)));
    let faults = Values::Counts(faults.into());
    add(all, "delivery_faults", "Deliveries that went wrong", None, faults);
}

fn machines<'r>(all: &mut Vec<Family<'r>>, result: &'r RunResult) {
    let RunResult { generator, server, course, .. } = result;
    let cpu = [
        ("sockrates", generator.as_ref().map(|own| own.cpu_us)),
        ("server", server.as_ref().map(|its| its.cpu_us)),
    ];
    let cpu = cpu.into_iter().filter_map(|(who, cpu)| Some((vec![("process", who)], seconds(cpu?))));
    let help = "Processor time of this process and of the server";
    add(all, "cpu", help, Some(Unit::Seconds), Values::Sums(cpu.collect()));
    let resident = course.as_ref().and_then(|course| course.server_memory.last().copied().flatten());
    let memory = [
        (vec![("process", "sockrates"), ("of", "peak")], generator.as_ref().map(|own| own.memory_peak)),
        (vec![("process", "server"), ("of", "peak")], server.as_ref().map(|its| its.memory_peak)),
        (vec![("process", "server"), ("of", "now")], resident),
    ];
    let memory = memory.into_iter().filter_map(|(labels, bytes)| Some((labels, bytes? as f64)));
    gauges(all, "memory", "Resident memory", Some(Unit::Bytes), memory);
    let busiest = generator.as_ref().and_then(|own| own.busiest_worker).map(|share| (vec![], share));
    let help = "Share of the time in which the worker thread with the highest load worked";
    gauges(all, "busiest_worker", help, Some(Unit::Ratio), busiest);
}

/// A family for each counter, in which each part has its line.
fn counters<'r>(all: &mut Vec<Family<'r>>, prefix: &str, of: &str, parts: &[(&'r str, &'r [CounterResult])]) {
    let mut families: BTreeMap<&str, Vec<(Labels<'r>, u64)>> = BTreeMap::new();
    for (part, counters) in parts {
        for counter in *counters {
            families.entry(&counter.name).or_default().push((labels_of(part), counter.value));
        }
    }
    for (name, values) in families {
        let family = format!("{prefix}{}", name.replace([' ', '.'], "_"));
        add(all, &family, &format!("`{name}`, for {of}"), None, Values::Counts(values));
    }
}

fn latencies<'r>(all: &mut Vec<Family<'r>>, name: &str, help: &str, parts: &[(&'r str, &'r [MetricResult])]) {
    let values = parts.iter().flat_map(|(part, metrics)| {
        metrics.iter().map(|metric| {
            let mut labels = vec![("metric", metric.name.as_str())];
            labels.extend(labels_of(part));
            (labels, metric)
        })
    });
    add(all, name, help, Some(Unit::Seconds), Values::Latencies(values.collect()));
}

/// The whole run has no name.
fn labels_of(part: &str) -> Labels<'_> {
    if part.is_empty() { Vec::new() } else { vec![("part", part)] }
}

fn gauges<'r>(
    all: &mut Vec<Family<'r>>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    values: impl IntoIterator<Item = (Labels<'r>, f64)>,
) {
    add(all, name, help, unit, Values::Gauges(values.into_iter().collect()));
}

fn add<'r>(all: &mut Vec<Family<'r>>, name: &str, help: &str, unit: Option<Unit>, values: Values<'r>) {
    if !values.is_empty() {
        all.push(Family { name: name.to_owned(), help: help.to_owned(), unit, values });
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
        Status::Invalid => "invalid",
        Status::Interrupted => "interrupted",
    }
}
