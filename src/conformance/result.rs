//! What the suite found, as data: the content of a result file and the input of every renderer.
//!
//! Checks, targets and the environment look as in the results of `run` ([`crate::report::result`]). All durations are
//! whole microseconds and their fields end in `_us`.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use super::versions::Versions;
use crate::report::result::{CheckResult, Environment, ErrorExample, ErrorResult, TargetInfo};
use crate::scenario::{Level, Need};
use crate::session::Transport;
use crate::verdict::Status;

/// Everything that the suite found about one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SuiteResult {
    /// The version of sockrates that played it. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// How the server is called in tables.
    pub name: String,
    /// The server.
    pub target: TargetInfo,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub duration_us: u64,
    /// Where it ran.
    pub environment: Environment,
    /// The timings by which the cases were played.
    pub timings: TimingsResult,
    /// The versions of the server and of its engine, by package, as far as they are known.
    #[serde(default, skip_serializing_if = "Versions::is_empty")]
    pub versions: Versions,
    /// What was looked for before the first case, in a fixed order.
    pub features: Vec<FeatureResult>,
    /// Every variant of every case that was chosen, in the order of their ids.
    pub cases: Vec<CaseResult>,
    /// Each rule of the wire that the server broke, and each of its ends, told once: whichever cases saw it.
    pub findings: Vec<FindingResult>,
    /// How many variants came to which verdict.
    pub summary: Summary,
    /// The contract of the application, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<ContractResult>,
    /// How that compares with what was known, if a baseline was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineResult>,
    /// The bundled baseline that lists exactly what deviates, if no baseline was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// The exit code that this server alone gives.
    pub exit_code: u8,
}

impl SuiteResult {
    /// Whether one of its cases makes the suite fail. With a baseline, what it does not know does; without, what breaks a
    /// demanded rule, and strictly also a recommended one.
    pub fn counts_against(&self, case: &CaseResult, strict: bool) -> bool {
        match (case.verdict, &self.baseline) {
            (Verdict::Pass, _) => false,
            (Verdict::Blocked, _) if case.by.is_none() => true,
            // It stands and falls with what blocks it. Without a baseline, what is demanded was not shown.
            (Verdict::Blocked, Some(_)) => {
                let blocking = self.findings.iter().filter(|finding| finding.blocked.contains(&case.label()));
                blocking.into_iter().any(|finding| self.finding_counts(finding, strict))
            }
            (Verdict::Blocked, None) => strict || case.level == Level::Must,
            (_, Some(baseline)) => {
                let label = case.label();
                baseline.new.iter().any(|row| row.case == label)
            }
            (Verdict::Fail, None) => true,
            (Verdict::Warn, None) => strict,
            (Verdict::Note | Verdict::Skip, None) => false,
        }
    }

    /// Whether a finding makes the suite fail, by itself or by the cases that fail by it.
    pub fn finding_counts(&self, finding: &FindingResult, strict: bool) -> bool {
        if finding.is_unlisted() {
            return true;
        }
        match &self.baseline {
            Some(baseline) => {
                let is_new = |name: &String| baseline.new.iter().any(|row| row.case == *name);
                finding.clause.iter().chain(&finding.failed).any(is_new)
            }
            None => finding.verdict == Verdict::Fail || (strict && finding.verdict == Verdict::Warn),
        }
    }

    /// What a suite that was played to its end says of the server. With `strict`, warnings count as failures.
    pub fn status(&self, strict: bool) -> Status {
        let counts = self.cases.iter().any(|case| self.counts_against(case, strict));
        let has_found = self.findings.iter().any(|finding| self.finding_counts(finding, strict));
        let is_stale = self.baseline.as_ref().is_some_and(|baseline| !baseline.gone.is_empty());
        match () {
            () if self.cases.iter().any(CaseResult::is_unreached) => Status::Unreachable,
            () if counts || is_stale || has_found || self.summary.judged() == 0 => Status::Failed,
            () => Status::Passed,
        }
    }
}

/// The timings by which cases were played: from the server's handshake, and what only the user
/// can tell from the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TimingsResult {
    /// Between two heartbeats.
    pub ping_interval_us: u64,
    /// How long a client may take to answer one.
    pub ping_timeout_us: u64,
    /// How long a client may take to join a namespace.
    pub connect_timeout_us: u64,
    /// How long an upgrade may take.
    pub upgrade_timeout_us: u64,
    /// For how long lost clients are remembered, where recovery is on.
    pub recovery_us: u64,
    /// The longest message that the server takes, in bytes.
    pub max_payload: u64,
}

/// Something that cases may need, and whether the server has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FeatureResult {
    /// Its name: `websocket`, `recovery`, `/custom`, `t:join`.
    pub name: String,
    /// Whether it is there.
    pub there: bool,
    /// What was seen, in words.
    pub seen: String,
}

/// A deviation that belongs to a clause and not to the case that saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingResult {
    /// The rule: `engine.poll-at-close`, or `server.ended`.
    pub rule: String,
    /// The clause that owns it. Without one, it is not known which case ended the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// How binding that clause is.
    pub level: Level,
    /// What it says of the server: `fail`, `warn` or `note`.
    pub verdict: Verdict,
    /// What the rule demands.
    pub demand: String,
    /// Where it is written.
    pub spec: String,
    /// How often it was seen.
    pub count: u64,
    /// The cases of that clause that failed by it.
    pub failed: Vec<String>,
    /// The cases that could not go on because of it.
    pub blocked: Vec<String>,
    /// The other cases that saw it.
    pub seen: Vec<String>,
    /// The first instance: what came instead, and the last frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<ErrorExample>,
}

/// What one variant of a case found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CaseResult {
    /// The id of the case: its path below `scenarios/conformance/`, without the ending.
    pub id: String,
    /// The transport of this variant, for cases that are played over several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// The clauses that it examines: `EIO-LP-02`.
    pub clause: Vec<String>,
    /// How binding they are.
    pub level: Level,
    /// The first part of the id.
    pub area: String,
    /// The clause as a sentence.
    pub name: String,
    /// Where it is written.
    pub spec: Vec<String>,
    /// What the server has to offer.
    pub needs: Vec<Need>,
    /// What the server lacks of it, by the names of `features`: that is why the case was not played.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// What the case says of the server.
    pub verdict: Verdict,
    /// The clause of the finding that kept it from going on, where it is `blocked` by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whether the server ended in it.
    #[serde(default)]
    pub has_ended: bool,
    /// Why, as a sentence without its full stop.
    pub reason: String,
    /// The steps of which a check failed, in the order of the file.
    pub checks: Vec<CheckResult>,
    /// What went wrong without any step asking, the most frequent first; empty for cases that passed.
    pub errors: Vec<ErrorResult>,
    /// How long it took.
    pub duration_us: u64,
    /// The command that plays this variant alone.
    pub command: String,
}

impl CaseResult {
    /// Whether it says nothing because the server could not be reached.
    pub fn is_unreached(&self) -> bool {
        self.verdict == Verdict::Blocked && self.by.is_none()
    }

    /// The id with the transport: `polling/order@upgrade`.
    pub fn label(&self) -> String {
        match self.transport {
            Some(transport) => format!("{}@{}", self.id, transport.name()),
            None => self.id.clone(),
        }
    }
}

/// How many variants came to which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Those that passed.
    pub pass: u64,
    /// Those that showed a demanded rule broken.
    pub fail: u64,
    /// Those that showed a recommended rule broken.
    pub warn: u64,
    /// Those that showed a difference from the official server.
    pub note: u64,
    /// Those that were not played.
    pub skip: u64,
    /// Those that could not be played to an end: another clause was broken, or the server could not be reached.
    pub blocked: u64,
}

impl Summary {
    /// The count of these verdicts.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Summary {
        let mut summary = Summary::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Pass => &mut summary.pass,
                Verdict::Fail => &mut summary.fail,
                Verdict::Warn => &mut summary.warn,
                Verdict::Note => &mut summary.note,
                Verdict::Skip => &mut summary.skip,
                Verdict::Blocked => &mut summary.blocked,
            } += 1;
        }
        summary
    }

    /// How many came to this verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::Note => self.note,
            Verdict::Skip => self.skip,
            Verdict::Blocked => self.blocked,
        }
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        Verdict::ALL.map(|verdict| self.count(verdict)).iter().sum()
    }

    /// How many were played to a verdict about the server.
    pub fn judged(&self) -> u64 {
        self.pass + self.fail + self.warn + self.note
    }
}

/// How much of the suite the contract of an application reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContractResult {
    /// The file, as the user named it.
    pub file: String,
    /// How many of the chosen variants are written in the words of a contract.
    pub written: u64,
    /// How many of these were played by this one.
    pub played: u64,
}

/// How the verdicts compare with those that were known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineResult {
    /// The file, as the user named it.
    pub file: String,
    /// How many deviations were known and are as known.
    pub known: u64,
    /// Deviations that are not listed, or are listed with another verdict.
    pub new: Vec<BaselineRow>,
    /// Rows whose case does not deviate any more.
    pub gone: Vec<BaselineRow>,
    /// Which versions the baseline is about, if the server is known to have others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_versions: Vec<String>,
}

/// A case of which verdict and baseline disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BaselineRow {
    /// The id of the case, with `@transport` where the row names one; for a finding, the id of its clause.
    pub case: String,
    /// What the baseline says, if it lists the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<Verdict>,
    /// What it came to now.
    pub now: Verdict,
    /// The versions for which the baseline lists the same verdict, if not for this server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_for: Option<String>,
}
