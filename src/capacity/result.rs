//! What a search found, as data: the content of its file and the input of its text.

use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::plan::Plan;
use super::point::Point;
use super::search::{Found, StepOutcome};
use crate::report::RunResult;
use crate::report::file::{Body, Kind};
use crate::report::result::{Environment, ScenarioInfo, TargetInfo, TargetKind, ThresholdResult};
use crate::scenario::Axis;

/// Everything that is known of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CapacityResult {
    /// The version of sockrates that wrote it. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// What was played.
    pub scenario: ScenarioInfo,
    /// Against what.
    pub target: TargetInfo,
    /// Where.
    pub environment: Environment,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub duration_us: u64,
    /// What the load is.
    pub axis: Axis,
    /// How far the answer may be off, as a share.
    pub precision: f64,
    /// What throughput and latencies are of: `delivery`, `ack` where nothing is delivered, or `connect` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The thresholds of the scenario.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Asked>,
    /// The answer. None while the search goes on, and where it was interrupted.
    pub found: Option<Found>,
    /// All runs, in their order.
    pub points: Vec<Point>,
    /// The curves through them.
    pub curve: Curve,
    /// How many machines it takes, where that was asked.
    pub plan: Option<Plan>,
    /// How the server came back from too much, where that was asked.
    pub recovery: Option<Recovery>,
    /// What happened on the way, one sentence each.
    pub notes: Vec<String>,
}

/// A threshold, without what any run made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Asked {
    /// As its author wrote it.
    pub text: String,
    /// The limit, in `unit`.
    pub limit: f64,
    /// What the limit counts, as in the results of a run.
    pub unit: String,
}

impl Asked {
    /// The thresholds of this run.
    pub(crate) fn of(run: &RunResult) -> Vec<Asked> {
        let asked = |threshold: &ThresholdResult| Asked {
            text: threshold.text.clone(),
            limit: threshold.limit,
            unit: threshold.unit.clone(),
        };
        run.thresholds.iter().map(asked).collect()
    }
}

/// How the server came back from too much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Recovery {
    /// The load that was too much.
    pub overload: f64,
    /// The load afterwards.
    pub load: f64,
    /// How many runs at that load broke before one held.
    pub broke: u32,
    /// From the end of the overload to the beginning of the first run that held. None if none did.
    pub after_us: Option<u64>,
}

impl Body for CapacityResult {
    const KIND: Kind = Kind::Capacity;

    fn set_tool_version(&mut self, version: &str) {
        version.clone_into(&mut self.tool_version);
    }
}

impl CapacityResult {
    /// In how many runs that held the deliveries were not judged, and why in the first of them.
    pub(super) fn not_judged(&self) -> Option<(u64, &str)> {
        let held = self.points.iter().filter(|point| point.outcome == StepOutcome::Held);
        let mut whys = held.filter_map(|point| point.not_judged.as_deref());
        let first = whys.next()?;
        Some((1 + whys.count() as u64, first))
    }

    /// Whether each repeated run had a server of its own, because sockrates starts it.
    pub(super) fn had_fresh_servers(&self) -> bool {
        self.target.kind != TargetKind::Url
    }
}

#[cfg(test)]
pub(super) mod example {
    use super::super::curve::curve;
    use super::super::plan::{Machine, plan};
    use super::super::search::{Above, Purpose, StepOutcome, Votes};
    use super::*;

    /// A step that held.
    pub(in super::super) fn point(load: f64, throughput: f64) -> Point {
        Point {
            load,
            purpose: Purpose::Ramp,
            outcome: StepOutcome::Held,
            clients: load as u64,
            throughput,
            p50_us: Some(1_200),
            p99_us: Some(9_000),
            samples: 2_000,
            errors: 0,
            audit: 0,
            not_judged: None,
            processors: Some(load / 1000.0),
            memory: Some(8_000_000 + 20_000 * load as u64),
            bytes: load * 1_500.0,
        }
    }

    /// A search that found 437 clients.
    pub(in super::super) fn result() -> CapacityResult {
        let broke =
            || StepOutcome::Broke("the threshold was not met (delivery p99 < 250 ms: 1.2 s)".to_owned());
        let mut points: Vec<Point> =
            [50.0, 100.0, 200.0, 400.0].map(|load| point(load, load * 2.0)).into_iter().collect();
        points.push(Point { outcome: broke(), p99_us: Some(1_200_000), errors: 3, ..point(800.0, 880.0) });
        let again = |load, purpose| Point { purpose, ..point(load, load * 2.0) };
        points.push(again(430.0, Purpose::Bisection));
        points.push(Point { outcome: broke(), purpose: Purpose::Bisection, ..point(441.0, 880.0) });
        points.push(again(430.0, Purpose::Confirmation));
        points.push(again(430.0, Purpose::Confirmation));
        points.push(Point { outcome: broke(), purpose: Purpose::Refutation, ..point(441.0, 878.0) });
        let machine = Machine { users: 430.0, processors: Some((2.0, 0.001)), memory: Some((8e9, 2e4)) };
        CapacityResult {
            tool_version: "0.1.0".to_owned(),
            scenario: ScenarioInfo { name: "A busy room".to_owned(), seed: 1, ..ScenarioInfo::default() },
            target: TargetInfo::missing(
                TargetKind::Command,
                "http://127.0.0.1:3000/socket.io/".to_owned(),
                None,
            ),
            environment: Environment { os: "linux x86_64".to_owned(), cpus: 2, ..Environment::default() },
            started: "2026-01-01T00:00:00Z".to_owned(),
            duration_us: 312_000_000,
            axis: Axis::Clients,
            precision: 0.05,
            metric: Some("delivery".to_owned()),
            thresholds: vec![Asked {
                text: "delivery p99 < 250 ms".to_owned(),
                limit: 250_000.0,
                unit: "us".to_owned(),
            }],
            found: Some(Found {
                held: Some(430.0),
                confirmed: Votes { held: 2, broke: 0 },
                above: Above::Broke {
                    load: 441.0,
                    why: "the threshold was not met (delivery p99 < 250 ms: 1.2 s)".to_owned(),
                },
            }),
            curve: curve(&points, Some(430.0), true, 1),
            points,
            plan: plan(machine, 100_000, 0.3),
            recovery: Some(Recovery { overload: 860.0, load: 215.0, broke: 1, after_us: Some(6_400_000) }),
            notes: vec!["the server ended at 800 clients (exit code 1) and was started again".to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::file;

    #[test]
    fn what_is_written_is_valid_by_the_schema_and_what_is_broken_is_not() {
        let schema = jsonschema::validator_for(&super::super::schema::schema()).expect("it is a schema");
        let is_valid = |text: &str| schema.is_valid(&serde_json::from_str(text).expect("it is JSON"));
        let mut bare = example::result();
        (bare.found, bare.plan, bare.recovery, bare.curve) = (None, None, None, Curve::default());
        bare.axis = Axis::Variable("rooms".to_owned());
        let text = example::result().to_json();
        assert!(is_valid(&text) && is_valid(&bare.to_json()));
        assert!(!is_valid(&text.replace("\"precision\": 0.05", "\"precision\": \"some\"")));
    }

    #[test]
    fn a_search_survives_being_stored() {
        let result = example::result();
        let back: CapacityResult = file::from_json(&result.to_json()).unwrap();
        assert_eq!((back.found, back.axis, back.plan), (result.found, result.axis, result.plan));
        assert_eq!(back.points, result.points);
    }
}
