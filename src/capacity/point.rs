//! One run of the search: its outcome, and what was measured.

use serde::{Deserialize, Serialize};

use super::search::{Purpose, StepOutcome};
use crate::observe::{Counter, Metric};
use crate::report::RunResult;
use crate::report::result::{DeliveriesResult, MetricResult};
use crate::verdict::{DoubtKind, Status};

/// What a step of the search measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Point {
    /// The load.
    pub load: f64,
    /// What it was played for.
    pub purpose: Purpose,
    /// Its outcome.
    pub outcome: StepOutcome,
    /// How many clients there were.
    pub clients: u64,
    /// What was achieved a second: deliveries, or acknowledgements where nothing is delivered.
    pub throughput: f64,
    /// The median of their latencies in microseconds.
    pub p50_us: Option<u64>,
    /// 99 % were not longer.
    pub p99_us: Option<u64>,
    /// How many of them there were.
    pub samples: u64,
    /// Failed checks, failed connects, lost connections, acknowledgements that did not come.
    pub errors: u64,
    /// Deliveries that were missing, doubled, out of order or leaked.
    pub audit: u64,
    /// Why the deliveries were not judged, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
    /// Processors that the server used, where we started it.
    pub processors: Option<f64>,
    /// The most memory that it had, in bytes.
    pub memory: Option<u64>,
    /// Bytes in and out a second, of all clients together.
    pub bytes: f64,
}

/// The outcome of a run. It distinguishes what the server could not do from what the load generator could not do.
pub(crate) fn outcome(run: &RunResult, least_samples: u64) -> StepOutcome {
    let reason = run.verdict.reason.clone();
    match run.verdict.status {
        Status::Passed => match throughput(run).map_or(0, |metric| metric.count) {
            samples if samples < least_samples => StepOutcome::Unclear(format!(
                "there were {samples} of the {least_samples} samples that a step needs"
            )),
            _ => StepOutcome::Held,
        },
        Status::Failed => StepOutcome::Broke(reason),
        Status::Unreachable => StepOutcome::Died(reason),
        Status::Interrupted => StepOutcome::Unclear(reason),
        Status::Invalid => {
            let doubts = run.generator.iter().flat_map(|generator| &generator.doubts);
            let kinds: Vec<DoubtKind> = doubts.map(|doubt| doubt.kind).collect();
            match kinds[..] {
                [] => StepOutcome::Unclear(reason),
                // Nothing else was wrong with us, so we had time for more: the clients still waited for the server.
                [DoubtKind::RateNotReached] => StepOutcome::Broke(reason),
                _ => StepOutcome::Limited(reason),
            }
        }
    }
}

impl Point {
    /// Reads a run.
    pub(crate) fn of(run: &RunResult, load: f64, purpose: Purpose, outcome: StepOutcome) -> Point {
        let time = if run.measured_us > 0 { run.measured_us } else { run.duration_us }.max(1) as f64 / 1e6;
        let counted =
            |counters: &[Counter]| counters.iter().map(|counter| run.counter(*counter)).sum::<u64>();
        let metric = throughput(run);
        let processor =
            |server: &crate::report::course::ServerResult| match (server.cpu_measured_us, run.measured_us) {
                (1.., 1..) => server.cpu_measured_us as f64 / run.measured_us as f64,
                _ => server.cpu_us as f64 / run.duration_us.max(1) as f64,
            };
        Point {
            load,
            purpose,
            outcome,
            clients: run.clients(),
            throughput: metric.map_or(0.0, |metric| metric.count as f64 / time),
            p50_us: metric.and_then(|metric| metric.p50_us),
            p99_us: metric.and_then(|metric| metric.p99_us),
            samples: metric.map_or(0, |metric| metric.count),
            errors: run.failed_checks()
                + counted(&[
                    Counter::ConnectFailed,
                    Counter::Dropped,
                    Counter::AckMissed,
                    Counter::ResponseMissed,
                ]),
            audit: run.deliveries.as_ref().map_or(0, DeliveriesResult::faults),
            not_judged: run.not_judged(),
            processors: run.server.as_ref().map(processor),
            memory: run.server.as_ref().map(|server| server.memory_peak),
            bytes: counted(&[Counter::BytesIn, Counter::BytesOut]) as f64 / time,
        }
    }

    /// Whether it says something about the server.
    pub(crate) fn is_of_the_server(&self) -> bool {
        matches!(self.outcome, StepOutcome::Held | StepOutcome::Broke(_))
    }
}

/// What the server is there for: deliveries; where there are none, acknowledgements or responses; where there are none either,
/// connects.
pub(crate) fn throughput(run: &RunResult) -> Option<&MetricResult> {
    [Metric::Delivery, Metric::Ack, Metric::Response, Metric::Connect]
        .into_iter()
        .find_map(|metric| run.metric(metric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example::run;
    use crate::report::course::{DoubtResult, GeneratorResult};

    fn invalid(doubts: &[DoubtKind]) -> RunResult {
        let mut run = run(1.0, 10);
        run.verdict.status = Status::Invalid;
        run.verdict.reason = "because".to_owned();
        run.generator = Some(GeneratorResult {
            doubts: doubts
                .iter()
                .map(|kind| DoubtResult { kind: *kind, sentence: "so".to_owned() })
                .collect(),
            ..GeneratorResult::default()
        });
        run
    }

    #[test]
    fn a_server_that_is_waited_for_broke_and_a_generator_without_time_did_not_keep_up() {
        let because = || "because".to_owned();
        use DoubtKind::{GeneratorBusy, NoPort, OwnLag, RateNotReached};
        assert_eq!(outcome(&invalid(&[RateNotReached]), 1), StepOutcome::Broke(because()));
        for ours in
            [&[GeneratorBusy, RateNotReached][..], &[RateNotReached, OwnLag], &[NoPort], &[GeneratorBusy]]
        {
            assert_eq!(outcome(&invalid(ours), 1), StepOutcome::Limited(because()), "{ours:?}");
        }
        assert_eq!(outcome(&invalid(&[]), 1), StepOutcome::Unclear(because()));
    }

    #[test]
    fn a_run_with_few_samples_tells_nothing() {
        assert_eq!(outcome(&run(1.0, 10), 100), StepOutcome::Held);
        assert!(matches!(outcome(&run(1.0, 10), 5000), StepOutcome::Unclear(_)));
    }

    #[test]
    fn where_nothing_is_said_connects_are_counted() {
        let mut run = run(1.0, 10);
        assert_eq!(throughput(&run).unwrap().name, "delivery");
        run.metrics.retain(|metric| metric.name == "ack");
        assert_eq!(throughput(&run).unwrap().name, "ack");
        run.metrics[0].name = "connect".to_owned();
        assert_eq!(throughput(&run).unwrap().name, "connect");
    }

    #[test]
    fn a_point_has_what_was_achieved_and_what_it_cost() {
        let point = Point::of(&run(1.0, 10), 40.0, Purpose::Ramp, StepOutcome::Held);
        assert_eq!((point.throughput, point.clients, point.samples), (200.0, 40, 2000));
        assert_eq!(point.processors, Some(0.5));
        assert_eq!(point.memory, Some(10_000_000));
    }
}
