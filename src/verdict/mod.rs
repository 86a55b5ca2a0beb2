//! From what was counted to one sentence and an exit code. Pure.
//!
//! [`judge_thresholds`] compares each threshold with what was measured; [`judge`] weighs checks, thresholds and the
//! validity of the measurement. **No data never passes**: a threshold without samples is missed, and a run that checked
//! nothing, asked nothing and completed nothing has failed. **Nothing may go wrong that no threshold allows**: a failed
//! connect, a missed acknowledgement, a fault that the audit of deliveries found, each fails the run unless some
//! threshold is about it; then that threshold decides.
//!
//! What decides, the first that applies:
//!
//! | what | status | exit code |
//! |---|---|---|
//! | the run was interrupted | interrupted | 130 |
//! | the target could not be reached or started | unreachable | 3 |
//! | the generator was the bottleneck or late, the machine ran short of ports or files, … | invalid | 4 |
//! | a server that we started ended with a signal or an exit code that is not 0 | failed | 1 |
//! | a check failed, something went wrong that no threshold is about | failed | 1 |
//! | a threshold was missed or had no data, nothing was proved | failed | 1 |
//! | a threshold was breached that ends the run | failed | 1 |
//! | an event was never acknowledged, and no threshold allows that | failed | 1 |
//! | the audit judged less of the deliveries than `--strict-audit` asks for | failed | 1 |
//! | a percentile was asked about that too few samples support, the requested rate was not reached | invalid | 4 |
//! | everything else | passed | 0 |
//!
//! An invalid measurement comes before failed checks: a generator that has no time left misses deadlines that the
//! server met. The sentence then says both. A scenario or command line that is wrong (exit code 2) never gets here.

mod coverage;
mod nodes;
mod thresholds;
mod validity;

use serde::{Deserialize, Serialize};

use crate::audit::{ENOUGH, Fault, Findings, Gap};
use crate::measure::ScriptInfo;
use crate::measure::format::{count, counted, share};
use crate::observe::Counter;
use crate::threshold::{Counted, Threshold};

pub use coverage::not_judged;
pub use thresholds::{Amount, Judged, Measured, Outcome, judge_thresholds};
pub use validity::{Doubt, DoubtKind, Generator, Weight, doubts};

/// How a run ended, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every check held, every threshold was met, and there was something to judge.
    Passed,
    /// A check failed, a threshold was missed or had no data, or nothing was proved.
    Failed,
    /// The measurement does not say anything about the server.
    Invalid,
    /// Stopped by the user; what was counted up to there is reported.
    Interrupted,
    /// The target could not be reached or started.
    Unreachable,
}

impl Status {
    /// The gravest of several outcomes; without any, nothing is wrong.
    pub fn gravest(statuses: &[Status]) -> Status {
        const GRAVEST_FIRST: [Status; 4] =
            [Status::Interrupted, Status::Unreachable, Status::Invalid, Status::Failed];
        GRAVEST_FIRST.into_iter().find(|status| statuses.contains(status)).unwrap_or(Status::Passed)
    }

    /// The exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Status::Passed => 0,
            Status::Failed => 1,
            Status::Unreachable => 3,
            Status::Invalid => 4,
            Status::Interrupted => 130,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::Invalid => "invalid",
            Status::Interrupted => "interrupted",
            Status::Unreachable => "unreachable",
        }
    }
}

/// The judgement of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "RunVerdict"))]
pub struct Verdict {
    /// The judgement in one word.
    pub status: Status,
    /// Why, as a sentence without its full stop.
    pub reason: String,
    /// The exit code that goes with the status.
    pub exit_code: u8,
}

impl Verdict {
    fn new(status: Status, reason: String) -> Self {
        Self { status, reason, exit_code: status.exit_code() }
    }
}

/// How the engine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The script was played to its end.
    Finished,
    /// It was ended because a threshold was breached: which, and what was measured then, as a sentence.
    Breached(String),
    /// An event was never acknowledged, so that no step that waits for that can hold: which, as a sentence.
    Unanswered(String),
    /// The user stopped it.
    Interrupted,
    /// The user stopped it before it began: what was waited for, as a sentence.
    NotBegun(String),
    /// The target could not be reached or started: what was seen, as a sentence.
    Unreachable(String),
}

/// The end of a server that we started, while its clients played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// How and when it ended, as a sentence.
    pub sentence: String,
    /// Whether that alone fails the run.
    pub is_failure: bool,
}

/// What a run is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The steps in words, to name the first that failed.
    pub script_info: &'a ScriptInfo,
    /// Everything that was measured.
    pub measured: Measured<'a>,
    /// The thresholds of the scenario.
    pub thresholds: &'a [Threshold],
    /// Whether they were met, in the same order: [`judge_thresholds`].
    pub judged: &'a [Judged],
    /// How many steps were played to their end by at least one client.
    pub completed_steps: u64,
    /// How the engine ended.
    pub end: &'a End,
    /// That the server has ended meanwhile.
    pub death: Option<&'a Death>,
    /// The reasons for which the measurement may not be valid: [`doubts`].
    pub doubts: &'a [Doubt],
    /// The server's nodes, in the order in which they are told: the number that each has in the pairs, and its name.
    pub nodes: &'a [(usize, String)],
    /// What the script did to the server and did not succeed, one sentence each.
    pub failed_operations: &'a [String],
    /// The least share, from 0 to 1, of the pairs that may be owed which the audit has to judge, if there is one.
    pub strict_audit: Option<f64>,
}

/// The verdict on a run. That the server died comes first in its reason: it explains the rest.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let judged = judge_play(evidence);
    let Some(Death { sentence, is_failure }) = evidence.death else { return judged };
    match judged.status {
        Status::Passed if *is_failure => Verdict::new(Status::Failed, sentence.clone()),
        status => Verdict::new(status, format!("{sentence}; {}", judged.reason)),
    }
}

/// The verdict on what the clients saw.
fn judge_play(evidence: &Evidence<'_>) -> Verdict {
    let findings = findings(evidence);
    let weighing = |weight| {
        let doubts = evidence.doubts.iter().filter(move |doubt| doubt.weight == weight);
        doubts.map(|doubt| doubt.words.clone())
    };
    let too_few = with_outcome(evidence.judged, Outcome::TooFew).map(Judged::sentence);
    let unsupported: Vec<_> = weighing(Weight::Light).chain(too_few).collect();
    let mut grave: Vec<_> = weighing(Weight::Grave).collect();
    match evidence.end {
        End::Interrupted => Verdict::new(Status::Interrupted, so_far(evidence)),
        End::NotBegun(why) => Verdict::new(Status::Interrupted, why.clone()),
        End::Unreachable(why) => Verdict::new(Status::Unreachable, why.clone()),
        End::Finished | End::Breached(_) | End::Unanswered(_) if !grave.is_empty() => {
            grave.extend(findings);
            Verdict::new(Status::Invalid, grave.join("; "))
        }
        End::Finished | End::Breached(_) | End::Unanswered(_) if !findings.is_empty() => {
            Verdict::new(Status::Failed, findings.join("; "))
        }
        End::Finished | End::Breached(_) | End::Unanswered(_) if !unsupported.is_empty() => {
            Verdict::new(Status::Invalid, unsupported.join("; "))
        }
        End::Finished | End::Breached(_) | End::Unanswered(_) => passed(evidence),
    }
}

/// What the server did wrong, one sentence each.
fn findings(evidence: &Evidence<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    if let End::Breached(sentence) = evidence.end {
        findings.push(format!("the run ended early because a threshold was not met ({sentence})"));
    }
    if let End::Unanswered(sentence) = evidence.end {
        findings.push(sentence.clone());
    }
    let failed = evidence.measured.tally.misses(Counter::ChecksFailed);
    if failed > 0 && !is_allowed(evidence, Counted::Counter(Counter::ChecksFailed)) {
        let tally = evidence.measured.tally;
        let all = tally.failed_checks() + tally.passed_checks();
        findings.push(format!(
            "{} of {} failed{}",
            count(failed),
            counted(all, "check"),
            first_failed(evidence)
        ));
    }
    findings.extend(evidence.failed_operations.iter().cloned());
    let missing = Counted::Fault(Fault::Missing);
    let is_missed = |(threshold, judged): (&Threshold, &Judged)| {
        judged.outcome == Outcome::Missed && threshold.subject.is_about(missing)
    };
    if !is_allowed(evidence, missing) || evidence.thresholds.iter().zip(evidence.judged).any(is_missed) {
        let pairs = evidence.measured.deliveries.map(|deliveries| &deliveries.nodes);
        findings.extend(pairs.into_iter().flat_map(|pairs| nodes::deaf(pairs, evidence.nodes)));
    }
    findings.extend(unallowed(evidence));
    findings.extend(
        evidence.strict_audit.and_then(|least| too_little_judged(evidence.measured.deliveries, least)),
    );
    let bad = |judged: &&Judged| matches!(judged.outcome, Outcome::Missed | Outcome::NoData);
    let missed: Vec<_> = evidence.judged.iter().filter(bad).collect();
    if let Some(first) = missed.first() {
        let all = evidence.thresholds.len() as u64;
        let (number, noun) = (count(missed.len() as u64), counted(all, "threshold"));
        findings.push(match all {
            1 => format!("the threshold was not met ({})", first.sentence()),
            _ => format!("{number} of {noun} not met ({})", first.sentence()),
        });
    }
    if !findings.is_empty() {
        findings.splice(0..0, none_connected(&evidence.measured));
    }
    findings
}

/// That no client ever connected, and mostly why: it explains what else went wrong.
fn none_connected(measured: &Measured<'_>) -> Option<String> {
    let figures = measured.tally.figures();
    let causes = figures.causes(Counter::ConnectFailed);
    let (cause, _) =
        causes.max_by_key(|(_, times)| *times).filter(|_| figures.ever(Counter::ConnectOk) == 0)?;
    Some(format!("no client could connect ({})", cause.words()))
}

/// That the audit judged less than `--strict-audit` asks for, with the most frequent cause.
fn too_little_judged(deliveries: Option<&Findings>, least: f64) -> Option<String> {
    let gap = match deliveries {
        None => Gap::NoMessage,
        Some(found) => found.coverage().gap(least)?,
    };
    let causes = deliveries.iter().flat_map(|found| found.undecided.by_cause());
    let most = causes.max_by_key(|(_, pairs)| *pairs);
    let why = most.map_or_else(String::new, |(cause, _)| format!(" (mostly because {})", cause.words()));
    let (gap, least) = (not_judged(gap), share(least));
    Some(format!("`--strict-audit` asks the audit to judge {least} of the deliveries: {gap}{why}"))
}

/// That deliveries were not judged, as the end of a sentence.
fn unjudged(deliveries: Option<&Findings>) -> String {
    let gap = deliveries.and_then(|found| found.coverage().gap(ENOUGH));
    gap.map_or_else(String::new, |gap| format!(", but deliveries were not judged: {}", not_judged(gap)))
}

/// What went wrong and no threshold is about, one sentence each.
fn unallowed<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = String> + 'a {
    // Failed checks are told before.
    let counters = Counter::ALL
        .into_iter()
        .filter(|counter| *counter != Counter::ChecksFailed)
        .map(|counter| (Counted::Counter(counter), evidence.measured.tally.misses(counter)));
    let faults = Fault::ALL.into_iter().map(|fault| {
        let found = evidence.measured.deliveries.map_or(0, |deliveries| deliveries.undisturbed(fault));
        (Counted::Fault(fault), found)
    });
    counters.chain(faults).filter_map(|(what, times)| {
        if times == 0 || is_allowed(evidence, what) {
            return None;
        }
        let (whole, name) = outside(what, times, evidence);
        let most = match (what, evidence.measured.deliveries) {
            (Counted::Fault(fault), Some(found)) => nodes::most(&found.nodes, fault, evidence.nodes),
            _ => String::new(),
        };
        Some(format!("{name}: {} of {}{most}, and no threshold allows any", count(times), count(whole)))
    })
}

/// How often something could have happened, and how it is called: a fault beside those of a disturbed time by another name.
fn outside(what: Counted, times: u64, evidence: &Evidence<'_>) -> (u64, &'static str) {
    let (Counted::Fault(fault), Some(found)) = (what, evidence.measured.deliveries) else {
        return (thresholds::chances(what, &evidence.measured).max(times), what.name());
    };
    let is_disturbed = found.disturbed.expected > 0 || found.disturbed.fault(fault) > 0;
    let what = if is_disturbed { Counted::Undisturbed(fault) } else { what };
    (thresholds::chances(what, &evidence.measured).max(times), what.name())
}

/// Whether a threshold on all clients decides how much of this may happen. Those on a group or a label have decided before, about
/// what happened there alone.
fn is_allowed(evidence: &Evidence<'_>, what: Counted) -> bool {
    let is_about = |threshold: &Threshold| threshold.of.is_none() && threshold.subject.is_about(what);
    evidence.thresholds.iter().any(is_about)
}

fn first_failed(evidence: &Evidence<'_>) -> String {
    let first = evidence.measured.tally.steps().find(|(_, step)| step.failed > step.allowed);
    match first.and_then(|(id, _)| evidence.script_info.step(id)) {
        Some(step) if step.file.is_empty() => format!(", first in line {}: {}", step.line, step.words),
        Some(step) => format!(", first in {}:{}: {}", step.file, step.line, step.words),
        None => String::new(),
    }
}

fn passed(evidence: &Evidence<'_>) -> Verdict {
    let checks = evidence.measured.tally.passed_checks();
    let thresholds = evidence.thresholds.len() as u64;
    let all = |number: u64, noun: &str, held: &str| match number {
        1 => format!("the {noun} {held}"),
        _ => format!("all {} {held}", counted(number, noun)),
    };
    let failed = evidence.measured.tally.failed_checks();
    let unjudged = unjudged(evidence.measured.deliveries);
    if failed > 0 {
        let (failed, checks) = (count(failed), counted(failed + checks, "check"));
        let met = all(thresholds, "threshold", if thresholds == 1 { "was met" } else { "were met" });
        let reason = format!("{failed} of {checks} failed, which a threshold allows; {met}{unjudged}");
        return Verdict::new(Status::Passed, reason);
    }
    let reason = match (checks, thresholds, evidence.completed_steps) {
        (0, 0, 0) => {
            let nothing = "nothing was proved: there was no check, no threshold and no completed step";
            return Verdict::new(Status::Failed, nothing.to_owned());
        }
        (0, 0, steps) => format!("{} completed; nothing was checked", counted(steps, "step")),
        (checks, 0, _) => all(checks, "check", "held"),
        (0, thresholds, _) => {
            all(thresholds, "threshold", if thresholds == 1 { "was met" } else { "were met" })
        }
        (checks, thresholds, _) => {
            format!("{} and {}", all(checks, "check", "held"), all(thresholds, "threshold", "met"))
        }
    };
    Verdict::new(Status::Passed, reason + &unjudged)
}

fn so_far(evidence: &Evidence<'_>) -> String {
    let (held, failed) = (evidence.measured.tally.passed_checks(), evidence.measured.tally.failed_checks());
    match held + failed {
        0 => "stopped before any check was made".to_owned(),
        _ => format!(
            "until then {} held and {} failed{}",
            counted(held, "check"),
            count(failed),
            first_failed(evidence)
        ),
    }
}

fn with_outcome(thresholds: &[Judged], outcome: Outcome) -> impl Iterator<Item = &Judged> {
    thresholds.iter().filter(move |judged| judged.outcome == outcome)
}

#[cfg(test)]
mod tests;
