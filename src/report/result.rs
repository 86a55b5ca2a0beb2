//! What a run found, as data: the content of a result file and the input of every renderer.
//!
//! All durations are whole microseconds and their fields end in `_us`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::tone::Tone;
use crate::audit::{Coverage, ENOUGH, Fault, Undecided};
use crate::measure::{DecodeError, Series, format};
use crate::observe::{Counter, Grounds, Metric};
use crate::units::micros;
use crate::verdict::{Death, Verdict, not_judged};

pub use super::nodes::{
    DisturbedResult, JoinSpreadResult, NodeInfo, NodePairResult, NodesResult, OperationResult, SpanResult,
};
pub use super::target::{ServiceInfo, TargetInfo, TargetKind};

use super::course::{AgentResult, Course, GeneratorResult, PhaseResult, ServerResult};

/// What stands behind the name of a scenario that is in the binary and in no file.
pub const BUNDLED: &str = " (bundled)";

/// Everything that is known of one run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunResult {
    /// The version of sockrates that wrote it. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// What was played.
    pub scenario: ScenarioInfo,
    /// Against what.
    pub target: TargetInfo,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub duration_us: u64,
    /// How long the part took that metrics and rates are about: all of the run, unless the scenario has a `measure`.
    /// The time in which only the audit waited for deliveries is none of it.
    pub measured_us: u64,
    /// The stretches of the run, in their order, where the scenario has a `measure`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseResult>,
    /// Where it ran.
    pub environment: Environment,
    /// The groups of clients.
    pub clients: Vec<GroupSize>,
    /// The judgement.
    pub verdict: Verdict,
    /// The steps that made checks or missed something, in the order of the file.
    pub checks: Vec<CheckResult>,
    /// The thresholds, in the order of the file.
    pub thresholds: Vec<ThresholdResult>,
    /// What the audit of the deliveries found, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<DeliveriesResult>,
    /// What the script did to the server, in the order in which it was done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationResult>,
    /// When the server was disturbed by that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed: Vec<SpanResult>,
    /// The latency series that have values.
    pub metrics: Vec<MetricResult>,
    /// All counters.
    pub counters: Vec<CounterResult>,
    /// Why connects failed or were tried again, and connections ended unasked, in the whole run. Each of them is counted; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<CauseResult>,
    /// The series and counters of single groups and labels, where a threshold asks about one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartResult>,
    /// What went wrong without any step asking, the most frequent first.
    pub errors: Vec<ErrorResult>,
    /// The run over time. Absent where it was over before the first interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// What it cost the process that played the clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<GeneratorResult>,
    /// The machines that played the clients, where several did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentResult>,
    /// What it cost the server, where we started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerResult>,
    /// How the server ended during the run, where we started it and it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_end: Option<ServerEnd>,
}

impl RunResult {
    /// The values of this series. None without any.
    pub fn metric(&self, metric: Metric) -> Option<&MetricResult> {
        MetricResult::find(&self.metrics, metric)
    }

    /// How much of this was counted.
    pub fn counter(&self, counter: Counter) -> u64 {
        let of = |one: &&CounterResult| one.name == counter.name();
        self.counters.iter().find(of).map_or(0, |counter| counter.value)
    }

    /// How many clients there were.
    pub fn clients(&self) -> u64 {
        self.clients.iter().map(|group| u64::from(group.count)).sum()
    }

    /// How many checks failed, in all steps.
    pub fn failed_checks(&self) -> u64 {
        self.checks.iter().map(|check| check.failed).sum()
    }

    /// Why its deliveries were not judged, in words. None where they were, and where it has none to judge.
    pub fn not_judged(&self) -> Option<String> {
        self.deliveries.as_ref()?.not_judged()
    }

    /// Why a threshold says nothing though it is met: it is about a fault of deliveries, of which too few were judged.
    pub(super) fn not_judged_by(&self, threshold: &ThresholdResult) -> Option<String> {
        let is_about_one = Fault::ALL.into_iter().any(|fault| threshold.is_about(fault));
        (is_about_one && threshold.outcome == OutcomeResult::Met).then(|| self.not_judged()).flatten()
    }
}

/// The end of a server that we started, or whose process `--pid` names, during the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServerEnd {
    /// Which node, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Which service beside the nodes, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// `exit code 1`, `signal SIGKILL`; `an unknown exit code` where we did not start it.
    pub how: String,
    /// Whether it ended with exit code 0.
    pub is_success: bool,
    /// When that was seen, since the start of the run.
    pub after_us: u64,
    /// The last lines that it printed.
    pub output: Vec<String>,
}

impl ServerEnd {
    /// `the server`, `node b`, or `the service redis`.
    pub fn whose(&self) -> String {
        match (&self.service, &self.node) {
            (Some(service), _) => format!("the service {service}"),
            (None, Some(node)) => format!("node {node}"),
            (None, None) => "the server".to_owned(),
        }
    }

    /// The same for the verdict.
    pub fn death(&self) -> Death {
        let after = format::duration(Duration::from_micros(self.after_us));
        Death {
            sentence: format!("{} ended with {} after {after}", self.whose(), self.how),
            is_failure: !self.is_success,
        }
    }
}

/// The series and counters of one group or label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PartResult {
    /// The name of the group or the label.
    pub name: String,
    /// The latency series that have values.
    pub metrics: Vec<MetricResult>,
    /// All counters.
    pub counters: Vec<CounterResult>,
}

/// What was played.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScenarioInfo {
    /// Its name.
    pub name: String,
    /// What it is about, in its author's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The part of the specification that it examines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
    /// What the user calls this run: `--label`, else the commit that a CI system names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The file, as the user named it.
    pub file: String,
    /// The seed of its random numbers.
    pub seed: u64,
    /// SHA-1 of its text, in hexadecimal: two results with the same one are of the same file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// What the command line has put in the place of what the file says: `--clients 500`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
}

/// Where the run took place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// Operating system and architecture: `linux x86_64`.
    pub os: String,
    /// Processors that sockrates may use.
    pub cpus: u32,
    /// What the processor calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
    /// Memory of the machine in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// How many files the process may open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_files: Option<u64>,
    /// Whether clients and server were on one machine and took each other's processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co_located: Option<bool>,
}

/// One group of clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupSize {
    /// Its name.
    pub group: String,
    /// How many clients it has.
    pub count: u32,
}

/// The checks of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckResult {
    /// The step in words.
    pub step: String,
    /// The file in which it stands; empty if there is none.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1.
    pub column: u32,
    /// The line itself.
    pub source: String,
    /// The groups that act in it.
    pub groups: Vec<String>,
    /// Checks that held.
    pub passed: u64,
    /// Checks that did not.
    pub failed: u64,
    /// Those of them about which a threshold decides; absent where there are none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub allowed: u64,
    /// Operations that did not succeed: a connect, an acknowledgement. Thresholds decide whether that fails the run.
    pub missed: u64,
    /// The first failures and misses in full.
    pub failures: Vec<FailureResult>,
}

/// Whether there is nothing to write.
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// One check that did not hold, or one operation that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailureResult {
    /// The client: `alice`, `crowd 17`.
    pub client: String,
    /// What was demanded.
    pub expected: String,
    /// What was seen instead.
    pub actual: String,
    /// The client's last frames, oldest first.
    pub wire: Vec<WireResult>,
    /// The rule of the protocol that the server had broken on this connection before, so that something was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What shows it: a suite asks, before it says so.
    #[serde(skip)]
    pub grounds: Grounds,
}

/// One frame of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WireResult {
    /// Since the start of the run.
    pub at_us: u64,
    /// True for what the client sent.
    pub sent: bool,
    /// The frame, shortened.
    pub text: String,
}

/// One threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThresholdResult {
    /// As its author wrote it.
    pub text: String,
    /// Its line in the file.
    pub line: u32,
    /// What was measured, in `unit`. None without data, and for values beyond the range of the histogram.
    pub value: Option<f64>,
    /// The limit, in `unit`.
    pub limit: f64,
    /// What the numbers count: `us`, `count`, `per_second`, `share` (from 0 to 1).
    pub unit: String,
    /// What was measured, for people.
    pub value_text: String,
    /// The limit, for people.
    pub limit_text: String,
    /// Whether it holds, on enough data.
    pub met: bool,
    /// Whether it was met.
    pub outcome: OutcomeResult,
    /// How many samples the value rests on.
    pub samples: u64,
    /// How many it needs.
    pub samples_needed: u64,
}

impl ThresholdResult {
    /// Whether it limits how often this fault may be found.
    pub(super) fn is_about(&self, fault: Fault) -> bool {
        self.text.trim_start().starts_with(fault.name())
    }
}

/// Whether a threshold was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// It holds.
    Met,
    /// It does not.
    Missed,
    /// There was not a single sample.
    NoData,
    /// There were too few samples for this percentile.
    TooFew,
}

/// What the audit of the deliveries found. A pair is one message and one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeliveriesResult {
    /// Messages that were judged.
    pub messages: u64,
    /// Those of them that the server refused: nobody must receive them.
    #[serde(default, skip_serializing_if = "super::nodes::is_zero")]
    pub refused: u64,
    /// Receipts of them.
    pub receipts: u64,
    /// Pairs in which the client had to receive the message.
    pub expected: u64,
    /// Pairs in which it must not.
    pub forbidden: u64,
    /// Pairs that prove nothing.
    pub undecided: u64,
    /// Why they prove nothing; only what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided_causes: Vec<UndecidedResult>,
    /// Clients that asked to join a room, were told nothing of it, and received none of what others received there then.
    #[serde(default, skip_serializing_if = "super::nodes::is_zero")]
    pub unseen: u64,
    /// Clients that asked to leave a room, were told nothing of it, and went on to receive what was sent there.
    #[serde(default, skip_serializing_if = "super::nodes::is_zero")]
    pub kept: u64,
    /// A client that had to receive a message did not.
    pub missing: u64,
    /// A client received a message again.
    pub duplicate: u64,
    /// A client received messages of one sender in another order than they were sent in.
    pub disordered: u64,
    /// A client received a message that was not for it.
    pub leaked: u64,
    /// To whom they leaked; only what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaks: Vec<LeakResult>,
    /// Messages that came when the window of the audit was over.
    pub late: u64,
    /// What of all this was under way while the script disturbed the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<DisturbedResult>,
    /// The same from node to node, where the server has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesResult>,
    /// The first few of each kind, one sentence each.
    pub offenders: Vec<String>,
    /// The events as which messages arrived, where none arrived as the contract says; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arrived_as: Vec<String>,
    /// Whether a client was shown what had been sent before it came, as a chat with a history does, in one of the first faults.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shown_later: bool,
    /// The rooms in which a client of several groups missed a message in one of the first faults, where the contract says that
    /// the server puts every client into them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_rooms: Vec<String>,
}

impl DeliveriesResult {
    /// How much could be judged.
    pub fn coverage(&self) -> Coverage {
        let DeliveriesResult { messages, refused, expected, undecided, unseen, kept, .. } = *self;
        let between = self.nodes.as_ref().and_then(NodesResult::between);
        Coverage { messages, refused, expected, undecided, between, unseen, kept }
    }

    /// Why too little was judged for saying that nothing is wrong, in words. None where it was enough.
    pub fn not_judged(&self) -> Option<String> {
        self.coverage().gap(ENOUGH).map(not_judged)
    }

    /// In how many pairs nobody received the message, and the contract says that the application may refuse one.
    pub fn unheard(&self) -> u64 {
        let words = Undecided::MayBeRefused.words();
        self.undecided_causes.iter().filter(|cause| cause.cause == words).map(|cause| cause.count).sum()
    }

    /// How it is judged that this fault was found so often.
    pub fn tone(&self, fault: Fault) -> Tone {
        match (self.fault(fault), self.coverage().gap(ENOUGH)) {
            (0, None) if fault == Fault::Missing && self.unheard() > 0 => Tone::Doubtful,
            (0, None) => Tone::Good,
            (0, Some(_)) => Tone::Doubtful,
            _ => Tone::Bad,
        }
    }

    /// How often anything was found wrong.
    pub fn faults(&self) -> u64 {
        Fault::ALL.map(|fault| self.fault(fault)).iter().sum()
    }

    /// How often this was found wrong.
    pub fn fault(&self, fault: Fault) -> u64 {
        match fault {
            Fault::Missing => self.missing,
            Fault::Duplicate => self.duplicate,
            Fault::Disordered => self.disordered,
            Fault::Leaked => self.leaked,
        }
    }
}

/// Pairs of which the audit could not say whether the message had to arrive, for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UndecidedResult {
    /// In words: `the sender was not certainly a member of the room`.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// What to write so that the audit can decide, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// One of them: `alice and message 1 of bob to lobby`. Absent where no single client was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// How often messages leaked in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeakResult {
    /// In words: `to the sender`, `after a leave`.
    pub kind: String,
    /// How often.
    pub count: u64,
}

/// One latency series. Percentiles are absent where they lie beyond 120 s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricResult {
    /// The word for it in thresholds.
    pub name: String,
    /// How many values.
    pub count: u64,
    /// The least.
    pub min_us: u64,
    /// The mean.
    pub mean_us: u64,
    /// The median.
    pub p50_us: Option<u64>,
    /// 90 % were not longer.
    pub p90_us: Option<u64>,
    /// 99 % were not longer.
    pub p99_us: Option<u64>,
    /// 99.9 % were not longer.
    pub p999_us: Option<u64>,
    /// The greatest.
    pub max_us: u64,
    /// How many were longer than 120 s: counted everywhere, but not in the histogram.
    pub overflow: u64,
    /// Microseconds as an HdrHistogram, V2 compressed, base64.
    pub histogram: String,
}

impl MetricResult {
    /// The figures of a series. None if it is empty.
    pub fn of(name: &str, series: &Series) -> Option<Self> {
        let quantile = |quantile| series.quantile(quantile).flatten().map(micros);
        Some(Self {
            name: name.to_owned(),
            count: series.count(),
            min_us: micros(series.min()?),
            mean_us: micros(series.mean()?),
            p50_us: quantile(0.5),
            p90_us: quantile(0.9),
            p99_us: quantile(0.99),
            p999_us: quantile(0.999),
            max_us: micros(series.max()?),
            overflow: series.overflow(),
            histogram: series.encode(),
        })
    }

    /// The values of a series, of several. None if it is not among them.
    pub fn find(all: &[MetricResult], metric: Metric) -> Option<&MetricResult> {
        all.iter().find(|one| one.name == metric.name())
    }

    /// The series itself, to draw it or to add it to others.
    pub fn series(&self) -> Result<Series, DecodeError> {
        let [mean, min, max] = [self.mean_us, self.min_us, self.max_us].map(Duration::from_micros);
        Series::decode(&self.histogram, self.overflow, mean, min, max)
    }
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CounterResult {
    /// The words for it in thresholds.
    pub name: String,
    /// How much was counted.
    pub value: u64,
}

/// One cause for which connects failed, or connections ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CauseResult {
    /// Whose part it is, by the words for that counter: `connect failed`, `connect retried`, `connection dropped`.
    pub counter: String,
    /// The cause, one of a closed list.
    pub cause: String,
    /// How often.
    pub count: u64,
}

/// One cause of trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorResult {
    /// The cause.
    pub cause: String,
    /// How often.
    pub count: u64,
    /// Whether the server may not do it, unless a threshold allows it.
    #[serde(default)]
    pub is_wrong: bool,
    /// The rule of the protocol that the server broke, if it is about one: `engine.type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The first instances.
    pub examples: Vec<ErrorExample>,
}

/// One instance of a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ErrorExample {
    /// The client: `alice`, `crowd 17`.
    pub client: String,
    /// What happened to it.
    pub detail: String,
    /// The client's last frames, oldest first, where it remembers them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wire: Vec<WireResult>,
}
