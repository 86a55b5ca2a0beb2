//! A run in the text format of OpenMetrics, for Prometheus and what speaks like it.
//!
//! Spec: OpenMetrics 1.0, as `prometheus-client` writes it. A counter keeps its name in reports, with `_` for blanks; a
//! latency is a histogram in seconds. Values of single groups and labels have families of their own, so that a sum over a
//! family counts nothing twice.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::result::{CounterResult, MetricResult, OutcomeResult, RunResult};
use crate::audit::Fault;
use crate::verdict::Status;

/// What a scraper is told that the text is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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

/// The run so far, or the whole run once it is over.
pub fn openmetrics(result: &RunResult, is_over: bool) -> String {
    let mut registry = Registry::with_prefix_and_labels(
        "sockrates",
        [("scenario".into(), result.scenario.name.clone().into())].into_iter(),
    );
    registry.register_collector(Box::new(Snapshot { result: result.clone(), is_over }));
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

/// A result as a collector of metrics.
#[derive(Debug)]
struct Snapshot {
    result: RunResult,
    is_over: bool,
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Snapshot { result, is_over } = self;
        let mut out = Out { encoder: &mut encoder };
        self.state(&mut out)?;
        out.counters("", "the whole run", &[("", &result.counters)])?;
        let whole: Vec<(&str, &[MetricResult])> = vec![("", &result.metrics)];
        out.latencies("latency", "Latencies of the whole run", &whole)?;
        if !result.parts.is_empty() {
            let counters: Vec<(&str, &[CounterResult])> =
                result.parts.iter().map(|part| (part.name.as_str(), part.counters.as_slice())).collect();
            out.counters("part_", "groups and labels about which thresholds ask", &counters)?;
            let parts: Vec<(&str, &[MetricResult])> =
                result.parts.iter().map(|part| (part.name.as_str(), part.metrics.as_slice())).collect();
            out.latencies(
                "part_latency",
                "Latencies of groups and labels about which thresholds ask",
                &parts,
            )?;
        }
        let causes = result.causes.iter();
        out.counts(
            "causes",
            "Connects that failed and connections that ended, by cause",
            causes.map(|one| (vec![("counter", one.counter.as_str()), ("cause", &one.cause)], one.count)),
        )?;
        self.audit(&mut out)?;
        self.machines(&mut out)?;
        let outcomes = result.thresholds.iter().filter_map(|threshold| {
            let met = match threshold.outcome {
                OutcomeResult::Met => 1.0,
                OutcomeResult::Missed => 0.0,
                OutcomeResult::NoData | OutcomeResult::TooFew => return None,
            };
            Some((vec![("threshold", threshold.text.as_str())], met))
        });
        out.gauges(
            "threshold_met",
            "Whether a threshold holds so far, where there are samples enough",
            None,
            outcomes,
        )?;
        let status = is_over.then(|| (vec![("status", status(result.verdict.status))], 1.0));
        out.gauges("verdict", "The verdict, once the run is over", None, status.into_iter())
    }
}

impl Snapshot {
    fn state(&self, out: &mut Out<'_, '_>) -> std::fmt::Result {
        let result = &self.result;
        let labels = vec![
            ("file", result.scenario.file.as_str()),
            ("target", result.target.url.as_str()),
            ("version", result.tool_version.as_str()),
        ];
        out.gauges("run_info", "What is played, and against what", None, [(labels, 1.0)].into_iter())?;
        let over = if self.is_over { 1.0 } else { 0.0 };
        out.gauges("run_over", "Whether the run is over", None, [(vec![], over)].into_iter())?;
        out.gauges(
            "run",
            "How long the run has taken",
            Some(Unit::Seconds),
            [(vec![], seconds(result.duration_us))].into_iter(),
        )?;
        let connected = result.course.as_ref().and_then(|course| course.connected.last());
        let states = [("planned", result.clients()), ("connected", connected.copied().unwrap_or_default())];
        let states = states.into_iter().map(|(state, count)| (vec![("state", state)], count as f64));
        out.gauges("clients", "Clients by their state", None, states)
    }

    fn audit(&self, out: &mut Out<'_, '_>) -> std::fmt::Result {
        let Some(audit) = &self.result.deliveries else { return Ok(()) };
        let pairs = [("must", audit.expected), ("must_not", audit.forbidden), ("undecided", audit.undecided)];
        let pairs = pairs.into_iter().map(|(kind, count)| (vec![("judged", kind)], count as f64));
        out.gauges(
            "audit_pairs",
            "Pairs of a message and a client, by whether it had to arrive",
            None,
            pairs,
        )?;
        let counts = [("messages", audit.messages), ("receipts", audit.receipts), ("late", audit.late)];
        let counts = counts.into_iter().map(|(what, count)| (vec![("what", what)], count as f64));
        out.gauges("audit_seen", "Messages and receipts that the audit has judged", None, counts)?;
        let faults = Fault::ALL
            .map(|fault| (vec![("fault", fault.name().trim_start_matches("delivery "))], audit.fault(fault)));
        out.counts("delivery_faults", "Deliveries that went wrong", faults.into_iter())
    }

    fn machines(&self, out: &mut Out<'_, '_>) -> std::fmt::Result {
        let RunResult { generator, server, course, .. } = &self.result;
        let cpu = [
            ("sockrates", generator.as_ref().map(|own| own.cpu_us)),
            ("server", server.as_ref().map(|its| its.cpu_us)),
        ];
        let cpu = cpu.into_iter().filter_map(|(who, cpu)| Some((vec![("process", who)], seconds(cpu?))));
        out.seconds_counted("cpu", "Processor time of this process and of the server", cpu)?;
        let resident = course.as_ref().and_then(|course| course.server_memory.last().copied().flatten());
        let memory = [
            (vec![("process", "sockrates"), ("of", "peak")], generator.as_ref().map(|own| own.memory_peak)),
            (vec![("process", "server"), ("of", "peak")], server.as_ref().map(|its| its.memory_peak)),
            (vec![("process", "server"), ("of", "now")], resident),
        ];
        let memory = memory.into_iter().filter_map(|(labels, bytes)| Some((labels, bytes? as f64)));
        out.gauges("memory", "Resident memory", Some(Unit::Bytes), memory)?;
        let busiest = generator.as_ref().and_then(|own| own.busiest_worker).map(|share| (vec![], share));
        out.gauges(
            "busiest_worker",
            "Share of the time in which the worker thread with the highest load worked",
            Some(Unit::Ratios),
            busiest.into_iter(),
        )
    }
}

/// Where families of metrics go.
struct Out<'o, 'e> {
    encoder: &'o mut DescriptorEncoder<'e>,
}

type Labels<'l> = Vec<(&'l str, &'l str)>;

impl Out<'_, '_> {
    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        values: impl Iterator<Item = (Labels<'l>, f64)>,
    ) -> std::fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counts<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (Labels<'l>, u64)>,
    ) -> std::fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn seconds_counted<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (Labels<'l>, f64)>,
    ) -> std::fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut family =
            self.encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// A family for each counter, in which each part has its line.
    fn counters(&mut self, prefix: &str, of: &str, parts: &[(&str, &[CounterResult])]) -> std::fmt::Result {
        let mut families: BTreeMap<&str, Vec<(Labels<'_>, u64)>> = BTreeMap::new();
        for (part, counters) in parts {
            for counter in *counters {
                let labels = if part.is_empty() { Vec::new() } else { vec![("part", *part)] };
                families.entry(&counter.name).or_default().push((labels, counter.value));
            }
        }
        for (name, values) in families {
            let family = format!("{prefix}{}", name.replace([' ', '.'], "_"));
            self.counts(&family, &format!("`{name}`, for {of}"), values.into_iter())?;
        }
        Ok(())
    }

    fn latencies(&mut self, name: &str, help: &str, parts: &[(&str, &[MetricResult])]) -> std::fmt::Result {
        if parts.iter().all(|(_, metrics)| metrics.is_empty()) {
            return Ok(());
        }
        let mut family =
            self.encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (part, metric) in
            parts.iter().flat_map(|(part, metrics)| metrics.iter().map(move |one| (*part, one)))
        {
            // What cannot be decoded was never measured here.
            let Ok(series) = metric.series() else { continue };
            let mut below = 0;
            let mut buckets: Vec<(f64, u64)> = Vec::new();
            for edge in EDGES {
                let so_far = metric.count - series.count_above(Duration::from_micros(edge)).min(metric.count);
                buckets.push((seconds(edge), so_far.saturating_sub(below)));
                below = below.max(so_far);
            }
            buckets.push((f64::INFINITY, metric.count - below));
            let mut labels = vec![("metric", metric.name.as_str())];
            labels.extend((!part.is_empty()).then_some(("part", part)));
            let sum = seconds(metric.mean_us) * metric.count as f64;
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                sum,
                metric.count,
                &buckets,
                None,
            )?;
        }
        Ok(())
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
