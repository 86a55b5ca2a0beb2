//! A run in the text format of OpenMetrics, for Prometheus and what speaks like it.
//!
//! Spec: OpenMetrics 1.0, as `prometheus-client` writes it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use super::families::{self, Buckets, Family, Values, families};
use super::result::RunResult;

/// What a scraper is told that the text is.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
        families(&self.result, self.is_over).iter().try_for_each(|family| write(&mut encoder, family))
    }
}

fn write(encoder: &mut DescriptorEncoder<'_>, family: &Family<'_>) -> std::fmt::Result {
    let kind = match family.values {
        Values::Gauges(_) => MetricType::Gauge,
        Values::Counts(_) | Values::Sums(_) => MetricType::Counter,
        Values::Latencies(_) => MetricType::Histogram,
    };
    let unit = family.unit.map(|unit| match unit {
        families::Unit::Seconds => Unit::Seconds,
        families::Unit::Bytes => Unit::Bytes,
        // The singular, as Prometheus has it, and as a collector of OpenTelemetry makes it of the unit 1.
        families::Unit::Ratio => Unit::Other("ratio".to_owned()),
    });
    let mut out = encoder.encode_descriptor(&family.name, &family.help, unit.as_ref(), kind)?;
    match &family.values {
        Values::Gauges(values) => values
            .iter()
            .try_for_each(|(labels, value)| ConstGauge::new(*value).encode(out.encode_family(labels)?)),
        Values::Counts(values) => values
            .iter()
            .try_for_each(|(labels, value)| ConstCounter::new(*value).encode(out.encode_family(labels)?)),
        Values::Sums(values) => values
            .iter()
            .try_for_each(|(labels, value)| ConstCounter::new(*value).encode(out.encode_family(labels)?)),
        Values::Latencies(values) => values.iter().try_for_each(|(labels, metric)| {
            let Some(Buckets { sum, count, buckets }) = Buckets::of(metric) else { return Ok(()) };
            out.encode_family(labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::troubled;

    #[test]
    fn each_gauge_stands_in_the_docs_under_its_name() {
        let docs = include_str!("../../docs/watching.md");
        let text = openmetrics(&troubled(), true);
        let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" gauge"));
        let families: Vec<&str> = families.collect();
        assert!(families.contains(&"sockrates_busiest_worker_ratio"), "{families:?}");
        for family in families {
            assert!(docs.contains(&format!("`{family}`")), "{family}");
        }
    }
}
