//! A run as the body of a request to a collector of OpenTelemetry, and what its answer says.
//!
//! Spec: OTLP 1.x, metrics, in the binary form of protobuf. Names, units and labels are such that a collector that speaks like
//! Prometheus makes the families of [`super::openmetrics`] of them. All sums are cumulative since the run began.

use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as Exponents;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::families::{Buckets, Labels, Unit, Values, families, sum};
use super::result::{MetricResult, RunResult};
use super::time::seconds_since_1970;
use crate::secrets::Secrets;

/// What the body of a request is called.
pub(crate) const CONTENT_TYPE: &str = "application/x-protobuf";

/// No more buckets than this are sent of one exponential histogram, as the specification recommends.
const MOST_BUCKETS: i32 = 160;

/// Finer buckets would be finer than those from which they are made.
const FINEST_SCALE: i32 = 8;

const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// How latencies are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HistogramForm {
    /// In the buckets that a scraper gets.
    #[default]
    Explicit,
    /// In buckets whose edges are powers of one number.
    Exponential,
}

/// Who sends figures, and in which form.
#[derive(Debug)]
pub(crate) struct Sender {
    /// What tells this process from others that send at the same time.
    pub(crate) instance: String,
    pub(crate) histograms: HistogramForm,
    /// What must not be sent.
    pub(crate) secrets: Secrets,
}

impl Sender {
    /// The run so far, or the whole run once it is over.
    pub(crate) fn body(&self, result: &RunResult, is_over: bool) -> Vec<u8> {
        let started = seconds_since_1970(&result.started).unwrap_or_default().saturating_mul(1_000_000_000);
        let time = started.saturating_add(result.duration_us.saturating_mul(1000));
        let out = Out { sender: self, scenario: &result.scenario.name, started, time };
        let metrics = families(result, is_over).into_iter().map(|family| Metric {
            name: format!("sockrates.{}", family.name),
            description: family.help,
            unit: family.unit.map_or("", unit).to_owned(),
            data: Some(out.data(&family.values)),
            ..Metric::default()
        });
        let mut about = vec![
            self.pair("service.name", "sockrates"),
            self.pair("service.version", &result.tool_version),
            self.pair("service.instance.id", &self.instance),
        ];
        about.extend(result.scenario.label.iter().map(|label| self.pair("sockrates.run.label", label)));
        let scope = InstrumentationScope {
            name: "sockrates".into(),
            version: result.tool_version.clone(),
            ..Default::default()
        };
        let scope_metrics =
            vec![ScopeMetrics { scope: Some(scope), metrics: metrics.collect(), ..ScopeMetrics::default() }];
        let resource = Some(Resource { attributes: about, ..Resource::default() });
        let resource_metrics =
            vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
        ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
    }

    fn pair(&self, key: &str, value: &str) -> KeyValue {
        let value = any_value::Value::StringValue(self.secrets.without_values(value).into_owned());
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }
}

/// What a collector says that took a part only: how many values it refused, and why. None where it took all.
pub(crate) fn refused(answer: &[u8]) -> Option<(u64, String)> {
    let partial = ExportMetricsServiceResponse::decode(answer).ok()?.partial_success?;
    let count = u64::try_from(partial.rejected_data_points).ok().filter(|count| *count > 0)?;
    Some((count, partial.error_message))
}

/// Units as the Unified Code for Units of Measure writes them.
fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Bytes => "By",
        Unit::Ratio => "1",
    }
}

/// What all values of one body have in common. Times are in nanoseconds since 1970.
struct Out<'o> {
    sender: &'o Sender,
    scenario: &'o str,
    started: u64,
    time: u64,
}

impl Out<'_> {
    fn data(&self, values: &Values<'_>) -> Data {
        let points = |values: &[(Labels<'_>, f64)], start| {
            values.iter().map(|(labels, value)| self.number(labels, Value::AsDouble(*value), start)).collect()
        };
        match values {
            Values::Gauges(values) => Data::Gauge(Gauge { data_points: points(values, 0) }),
            Values::Sums(values) => growing(points(values, self.started)),
            Values::Counts(values) => {
                let count = |count: &u64| Value::AsInt(i64::try_from(*count).unwrap_or(i64::MAX));
                let points =
                    values.iter().map(|(labels, value)| self.number(labels, count(value), self.started));
                growing(points.collect())
            }
            Values::Latencies(values) if self.sender.histograms == HistogramForm::Exponential => {
                let points = values.iter().filter_map(|(labels, metric)| self.exponential(labels, metric));
                let data_points = points.collect();
                Data::ExponentialHistogram(ExponentialHistogram {
                    data_points,
                    aggregation_temporality: CUMULATIVE,
                })
            }
            Values::Latencies(values) => {
                let points = values.iter().filter_map(|(labels, metric)| self.explicit(labels, metric));
                Data::Histogram(Histogram {
                    data_points: points.collect(),
                    aggregation_temporality: CUMULATIVE,
                })
            }
        }
    }

    fn attributes(&self, labels: &Labels<'_>) -> Vec<KeyValue> {
        let all = [("scenario", self.scenario)].into_iter().chain(labels.iter().copied());
        all.map(|(key, value)| self.sender.pair(key, value)).collect()
    }

    fn number(&self, labels: &Labels<'_>, value: Value, start: u64) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(labels),
            start_time_unix_nano: start,
            time_unix_nano: self.time,
            value: Some(value),
            ..NumberDataPoint::default()
        }
    }

    fn explicit(&self, labels: &Labels<'_>, metric: &MetricResult) -> Option<HistogramDataPoint> {
        let Buckets { sum, count, buckets } = Buckets::of(metric)?;
        Some(HistogramDataPoint {
            attributes: self.attributes(labels),
            start_time_unix_nano: self.started,
            time_unix_nano: self.time,
            count,
            sum: Some(sum),
            bucket_counts: buckets.iter().map(|(_, count)| *count).collect(),
            // The last bucket has no upper edge.
            explicit_bounds: buckets.iter().map(|(edge, _)| *edge).filter(|edge| edge.is_finite()).collect(),
            min: Some(seconds(metric.min_us)),
            max: Some(seconds(metric.max_us)),
            ..HistogramDataPoint::default()
        })
    }

    fn exponential(
        &self,
        labels: &Labels<'_>,
        metric: &MetricResult,
    ) -> Option<ExponentialHistogramDataPoint> {
        let series = metric.series().ok()?;
        let within = series.buckets().map(|(edge, count)| (edge.as_secs_f64(), count));
        // The longest value stands for all that are beyond the buckets.
        let beyond = Some((seconds(metric.max_us), metric.overflow)).filter(|(_, count)| *count > 0);
        let (scale, positive) = exponents(&within.chain(beyond).collect::<Vec<_>>())?;
        Some(ExponentialHistogramDataPoint {
            attributes: self.attributes(labels),
            start_time_unix_nano: self.started,
            time_unix_nano: self.time,
            count: metric.count,
            sum: Some(sum(metric)),
            scale,
            positive: Some(positive),
            min: Some(seconds(metric.min_us)),
            max: Some(seconds(metric.max_us)),
            ..ExponentialHistogramDataPoint::default()
        })
    }
}

fn growing(data_points: Vec<NumberDataPoint>) -> Data {
    Data::Sum(Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: true })
}

/// Values in ascending order, each above 0, with their counts, in exponential buckets as fine as can be. None without values.
fn exponents(values: &[(f64, u64)]) -> Option<(i32, Exponents)> {
    let (first, last) = (values.first()?.0, values.last()?.0);
    // A bucket holds what is above its lower edge, up to its upper edge.
    let place = |value: f64, scale: i32| (value.log2() * f64::from(scale).exp2()).ceil() as i32 - 1;
    let fits = |scale: &i32| place(last, *scale) - place(first, *scale) < MOST_BUCKETS;
    let scale = (-10..=FINEST_SCALE).rev().find(fits)?;
    let offset = place(first, scale);
    let size = usize::try_from(place(last, scale) - offset + 1).ok()?;
    let mut bucket_counts = vec![0; size];
    for (value, count) in values {
        bucket_counts[usize::try_from(place(*value, scale) - offset).ok()?] += count;
    }
    Some((scale, Exponents { offset, bucket_counts }))
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::example::troubled;

    fn sender(secrets: Secrets) -> Sender {
        Sender { instance: "one".into(), histograms: HistogramForm::Explicit, secrets }
    }

    fn read(body: &[u8]) -> ResourceMetrics {
        let request = ExportMetricsServiceRequest::decode(body).expect("it was written here");
        request.resource_metrics.into_iter().next().expect("there is one")
    }

    #[test]
    fn counts_are_cumulative_since_the_run_began_and_gauges_are_of_now() {
        let result = troubled();
        let read = read(&sender(Secrets::hidden()).body(&result, true));
        let metrics = &read.scope_metrics[0].metrics;
        let named = |name: &str| metrics.iter().find(|metric| metric.name == name).expect(name);
        let Some(Data::Sum(sent)) = &named("sockrates.sent").data else { panic!("it is a sum") };
        assert!(sent.is_monotonic);
        assert_eq!(sent.aggregation_temporality, CUMULATIVE);
        let point = &sent.data_points[0];
        assert_eq!(point.value, Some(Value::AsInt(result.counter(crate::observe::Counter::Sent) as i64)));
        assert_eq!(point.time_unix_nano - point.start_time_unix_nano, result.duration_us * 1000);
        let Some(Data::Gauge(clients)) = &named("sockrates.clients").data else { panic!("it is a gauge") };
        assert_eq!(clients.data_points[0].start_time_unix_nano, 0);
        assert_eq!(named("sockrates.latency").unit, "s");
    }

    #[test]
    fn what_is_secret_is_not_sent() {
        let secrets = Secrets::hidden();
        secrets.note("swordfish");
        let mut result = troubled();
        result.scenario.name = "catch a swordfish".into();
        result.scenario.label = Some("swordfish".into());
        let body = sender(secrets).body(&result, false);
        assert!(memchr::memmem::find(&body, b"swordfish").is_none());
        assert!(memchr::memmem::find(&body, b"catch a [hidden]").is_some());
    }

    #[test]
    fn a_collector_that_takes_a_part_only_says_so() {
        use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;
        let partial =
            ExportMetricsPartialSuccess { rejected_data_points: 3, error_message: "too old".into() };
        let answer = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!(refused(&answer), Some((3, "too old".into())));
        assert_eq!(refused(b""), None);
        assert_eq!(refused(b"<html>"), None);
    }

    proptest! {
        #[test]
        fn every_value_lies_between_the_edges_of_its_exponential_bucket(
            mut micros in prop::collection::vec(1u64..120_000_000, 1..40),
        ) {
            micros.sort_unstable();
            let values: Vec<(f64, u64)> = micros.iter().map(|micros| (seconds(*micros), 1)).collect();
            let (scale, found) = exponents(&values).expect("there are values");
            prop_assert!(found.bucket_counts.len() <= MOST_BUCKETS as usize);
            let base = f64::from(-scale).exp2().exp2();
            let mut left = values.iter();
            for (place, count) in found.bucket_counts.iter().enumerate() {
                let lower = base.powi(found.offset + place as i32);
                for (value, _) in left.by_ref().take(*count as usize) {
                    prop_assert!(*value > lower * (1.0 - 1e-9) && *value <= lower * base * (1.0 + 1e-9));
                }
            }
            prop_assert_eq!(left.count(), 0);
        }
    }
}
