//! From what was counted and judged to a [`RunResult`].

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use crate::audit::{Fault, Findings, Leak, Offence, Undecided};
use crate::engine::Operated;
use crate::measure::{Figures, GroupInfo, ScriptInfo, StepInfo, StepTally, Tally};
use crate::observe::{Counter, Failure, Metric, Who, WireLine};
use crate::threshold::{Counted, Limit, Threshold, WholeAfter};
use crate::units::micros;
use crate::verdict::{
    Amount, End, Evidence, Generator, Judged, Measured, Outcome, doubts, judge, judge_thresholds,
};

use super::course::{AgentResult, Course, DoubtResult, GeneratorResult, PhaseResult, ServerResult};
use super::offences::{pair, sentence};
use super::result::{
    CauseResult, CheckResult, CounterResult, DeliveriesResult, DisturbedResult, Environment, ErrorExample,
    ErrorResult, FailureResult, GroupSize, JoinSpreadResult, LeakResult, MetricResult, NodePairResult,
    NodesResult, OperationResult, OutcomeResult, PartResult, RunResult, ScenarioInfo, ServerEnd, SpanResult,
    TargetInfo, ThresholdResult, UndecidedResult, WireResult,
};
use super::time::rfc3339;

/// A run that has ended, before it is judged.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// What was played.
    pub scenario: ScenarioInfo,
    /// Against what.
    pub target: TargetInfo,
    /// When it began.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// What is known beside that.
    pub account: Account,
    /// The steps and the clients in words.
    pub script_info: &'a ScriptInfo,
    /// Everything that was counted, merged over all workers.
    pub tally: &'a Tally,
    /// The groups and labels that thresholds ask about, and their figures.
    pub names: &'a [String],
    /// Their figures.
    pub parts: &'a [Figures],
    /// What the audit of the deliveries found, if there was one.
    pub deliveries: Option<&'a Findings>,
    /// The nodes that clients learned behind a balancer, and how many clients did not learn theirs.
    pub learned: Option<(Vec<(usize, String)>, u64)>,
    /// What was done to the server.
    pub operations: &'a [Operated],
    /// When it was disturbed by that.
    pub disturbed: &'a [(Duration, Duration)],
    /// How long it took afterwards until all nodes heard each other again, where a threshold asks.
    pub whole_after: &'a [WholeAfter],
    /// The thresholds of the scenario.
    pub thresholds: &'a [Threshold],
    /// How many steps were played to their end by at least one client.
    pub completed_steps: u64,
    /// How the engine came to its end.
    pub end: End,
    /// The least share of the deliveries that the audit has to judge, from 0 to 1, if there is one.
    pub strict_audit: Option<f64>,
    /// What is known of the machine that made the load.
    pub machine: Generator,
}

/// What is known of a run beside what its clients saw.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Where it ran.
    pub environment: Environment,
    /// How long the part took that series and rates are about, if not all of the run.
    pub measured: Option<Duration>,
    /// Its stretches, where the scenario has a `measure`.
    pub phases: Vec<PhaseResult>,
    /// The run over time.
    pub course: Option<Course>,
    /// What it cost the process that played the clients.
    pub generator: Option<GeneratorResult>,
    /// The machines that played the clients, where several did.
    pub agents: Vec<AgentResult>,
    /// What it cost the server, where we started it.
    pub server: Option<ServerResult>,
    /// How the server ended, if we started it and it did.
    pub server_end: Option<ServerEnd>,
}

/// Judges the run and puts down everything that is known of it.
pub fn collect(run: Run<'_>) -> RunResult {
    let Run { script_info, tally, account, .. } = run;
    let duration = account.measured.unwrap_or(run.duration);
    let measured = Measured {
        tally,
        parts: run.parts,
        deliveries: run.deliveries,
        duration,
        whole: run.duration,
        whole_after: run.whole_after,
    };
    let judged = judge_thresholds(run.thresholds, &measured);
    let doubts = doubts(&run.machine, tally.figures(), run.thresholds, &judged);
    let generator = account.generator.map(|generator| GeneratorResult {
        due: tally.counter(Counter::RoundsDue),
        begun: tally.counter(Counter::RoundsBegun),
        doubts: doubts.iter().map(DoubtResult::of).collect(),
        ..generator
    });
    let death = account.server_end.as_ref().map(ServerEnd::death);
    let named = || run.target.nodes.iter().map(|node| node.name.clone()).enumerate().collect();
    let (nodes, unknown) = run.learned.clone().unwrap_or_else(|| (named(), 0));
    let failed_operations: Vec<String> =
        run.operations.iter().filter_map(|one| one.failure.clone()).collect();
    let verdict = judge(&Evidence {
        script_info,
        measured,
        thresholds: run.thresholds,
        judged: &judged,
        completed_steps: run.completed_steps,
        end: &run.end,
        death: death.as_ref(),
        doubts: &doubts,
        nodes: &nodes,
        failed_operations: &failed_operations,
        strict_audit: run.strict_audit,
    });
    let group = |group: &GroupInfo| GroupSize { group: group.name.clone(), count: group.count };
    let failed = Counted::Counter(Counter::ChecksFailed);
    let is_about = |threshold: &Threshold| threshold.of.is_none() && threshold.subject.is_about(failed);
    let are_allowed = run.thresholds.iter().any(is_about);
    let check = |step: &StepInfo| {
        let check = check(script_info, step, tally.step(step.id)?);
        Some(if are_allowed { CheckResult { allowed: check.failed, ..check } } else { check })
    };
    RunResult {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: run.scenario,
        target: run.target,
        started: rfc3339(run.started),
        duration_us: micros(run.duration),
        measured_us: micros(duration),
        phases: account.phases,
        environment: account.environment,
        clients: script_info.groups.iter().map(group).collect(),
        verdict,
        checks: script_info.steps.iter().filter_map(check).collect(),
        thresholds: run
            .thresholds
            .iter()
            .zip(&judged)
            .map(|(asked, judged)| threshold(asked, judged))
            .collect(),
        deliveries: run.deliveries.map(|found| deliveries(script_info, found, (&nodes, unknown))),
        operations: run.operations.iter().map(|done| operation(done, run.duration)).collect(),
        disturbed: run
            .disturbed
            .iter()
            .map(|(from, to)| SpanResult { from_us: micros(*from), to_us: micros(*to) })
            .collect(),
        metrics: metrics(tally.figures()),
        counters: counters(tally.figures()),
        causes: causes(tally.figures()),
        parts: run.names.iter().zip(run.parts).map(|(name, figures)| part(name, figures)).collect(),
        errors: errors(script_info, tally),
        course: account.course,
        generator,
        agents: account.agents,
        server: account.server,
        server_end: account.server_end,
    }
}

fn operation(done: &Operated, now: Duration) -> OperationResult {
    OperationResult {
        what: done.words.clone(),
        from_us: micros(done.from),
        to_us: micros(done.to.unwrap_or(now).max(done.from)),
        disturbs: done.disturbs,
        is_under_way: done.to.is_none(),
        needless: done.needless.map(str::to_owned),
        failure: done.failure.clone(),
    }
}

fn metrics(figures: &Figures) -> Vec<MetricResult> {
    let of = |metric: Metric| MetricResult::of(metric.name(), figures.series(metric)?);
    Metric::ALL.into_iter().filter_map(of).collect()
}

fn counters(figures: &Figures) -> Vec<CounterResult> {
    let of =
        |counter: Counter| CounterResult { name: counter.name().into(), value: figures.counter(counter) };
    Counter::ALL.into_iter().map(of).collect()
}

fn causes(figures: &Figures) -> Vec<CauseResult> {
    let of = |counter: Counter| {
        let causes = figures.causes(counter).map(move |(cause, count)| CauseResult {
            counter: counter.name().into(),
            cause: cause.words().into(),
            count,
        });
        let mut causes: Vec<CauseResult> = causes.collect();
        causes.sort_by_key(|cause| Reverse(cause.count));
        causes
    };
    Counter::WITH_CAUSES.into_iter().flat_map(of).collect()
}

fn part(name: &str, figures: &Figures) -> PartResult {
    PartResult { name: name.to_owned(), metrics: metrics(figures), counters: counters(figures) }
}

fn check(script_info: &ScriptInfo, step: &StepInfo, tally: &StepTally) -> CheckResult {
    CheckResult {
        step: step.words.clone(),
        file: step.file.clone(),
        line: step.line,
        column: step.column,
        source: step.source.clone(),
        groups: step.groups.clone(),
        passed: tally.passed,
        failed: tally.failed,
        allowed: tally.allowed,
        missed: tally.missed,
        failures: tally
            .failures
            .iter()
            .map(|(who, failure)| self::failure(script_info, *who, failure))
            .collect(),
    }
}

fn failure(script_info: &ScriptInfo, who: Who, failure: &Failure) -> FailureResult {
    FailureResult {
        client: script_info.name(who),
        expected: failure.expected.clone(),
        actual: failure.actual.clone(),
        wire: wire(&failure.wire),
        after: failure.after.map(|rule| rule.name().to_owned()),
        grounds: failure.grounds,
    }
}

fn wire(lines: &[WireLine]) -> Vec<WireResult> {
    let line =
        |line: &WireLine| WireResult { at_us: micros(line.at), sent: line.sent, text: line.text.clone() };
    lines.iter().map(line).collect()
}

fn threshold(asked: &Threshold, judged: &Judged) -> ThresholdResult {
    ThresholdResult {
        text: judged.text.clone(),
        line: asked.span.line,
        value: judged.value.map(Amount::number).filter(|number| number.is_finite()),
        limit: judged.limit.number(),
        unit: match judged.limit {
            Limit::Latency(_) => "us",
            Limit::Count(_) => "count",
            Limit::Rate(_) => "per_second",
            Limit::Share(_) => "share",
        }
        .to_owned(),
        value_text: judged.value.map_or_else(|| "no data".to_owned(), |value| value.to_string()),
        limit_text: judged.limit.to_string(),
        met: judged.outcome == Outcome::Met,
        outcome: match judged.outcome {
            Outcome::Met => OutcomeResult::Met,
            Outcome::Missed => OutcomeResult::Missed,
            Outcome::NoData => OutcomeResult::NoData,
            Outcome::TooFew => OutcomeResult::TooFew,
        },
        samples: judged.samples,
        samples_needed: judged.needed,
    }
}

fn undecided(
    script_info: &ScriptInfo,
    found: &Findings,
    (cause, count): (Undecided, u64),
) -> UndecidedResult {
    let example = found.doubts.iter().find(|doubt| doubt.cause == cause);
    UndecidedResult {
        cause: cause.words().into(),
        count,
        advice: cause.advice().map(Into::into),
        example: example.map(|doubt| pair(script_info, doubt)),
    }
}

fn nodes(found: &Findings, (nodes, unknown): (&[(usize, String)], u64)) -> Option<NodesResult> {
    let pairs = &found.nodes;
    let all = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (from, to)));
    let pair = |((at, from), (to_at, to)): (&(usize, String), &(usize, String))| {
        let pair = pairs.pair(*at, *to_at)?;
        let missing = pair.fault(Fault::Missing);
        let quantile = |share| pair.quantile(share).map(|time| micros(time.into()));
        Some(NodePairResult {
            from: from.clone(),
            to: to.clone(),
            expected: pair.expected,
            undecided: pair.undecided,
            delivered: pair.expected.saturating_sub(missing),
            missing,
            duplicate: pair.fault(Fault::Duplicate),
            disordered: pair.fault(Fault::Disordered),
            leaked: pair.fault(Fault::Leaked),
            p50_us: quantile(0.5),
            p99_us: quantile(0.99),
        })
    };
    let spread = found.join_spread;
    let join_spread = JoinSpreadResult {
        received: spread.at_once,
        not_received: spread.late,
        longest_us: (spread.late > 0).then_some(micros(spread.longest.into())),
    };
    (pairs.nodes() > 0).then(|| NodesResult {
        names: nodes.iter().map(|(_, name)| name.clone()).collect(),
        pairs: all.filter_map(pair).collect(),
        join_spread,
        unknown,
    })
}

fn disturbed(found: &Findings) -> Option<DisturbedResult> {
    let of = &found.disturbed;
    let is_any = of.expected > 0 || of.faults.iter().any(|times| *times > 0);
    is_any.then(|| DisturbedResult {
        expected: of.expected,
        missing: of.fault(Fault::Missing),
        duplicate: of.fault(Fault::Duplicate),
        disordered: of.fault(Fault::Disordered),
        leaked: of.fault(Fault::Leaked),
    })
}

fn deliveries(
    script_info: &ScriptInfo,
    found: &Findings,
    known: (&[(usize, String)], u64),
) -> DeliveriesResult {
    let leaks = Leak::ALL.into_iter().zip(found.leaks).filter(|(_, count)| *count > 0);
    DeliveriesResult {
        messages: found.messages,
        refused: found.refused,
        receipts: found.receipts,
        expected: found.expected,
        forbidden: found.forbidden,
        undecided: found.undecided.total(),
        undecided_causes: found.undecided.by_cause().map(|of| undecided(script_info, found, of)).collect(),
        unseen: found.unseen,
        kept: found.kept,
        missing: found.fault(Fault::Missing),
        duplicate: found.fault(Fault::Duplicate),
        disordered: found.fault(Fault::Disordered),
        leaked: found.fault(Fault::Leaked),
        leaks: leaks.map(|(leak, count)| LeakResult { kind: leak.words().into(), count }).collect(),
        late: found.late,
        nodes: nodes(found, known),
        disturbed: disturbed(found),
        offenders: found.offences.iter().map(|offence| sentence(script_info, offence)).collect(),
        arrived_as: arrived_as(found),
        shown_later: found.offences.iter().any(Offence::is_shown_later),
        missed_rooms: missed_rooms(script_info, found),
    }
}

/// The rooms of every client, by the contract, in which one of several groups missed something: perhaps it is in none of them.
fn missed_rooms(script_info: &ScriptInfo, found: &Findings) -> Vec<String> {
    let missed = found.offences.iter().filter(|offence| offence.fault == Fault::Missing);
    let to: BTreeSet<&str> = missed
        .filter_map(|offence| offence.message.as_ref())
        .flat_map(|message| message.to.iter().map(|room| &**room))
        .collect();
    let is_missed = |room: &&String| script_info.groups.len() > 1 && to.contains(room.as_str());
    script_info.common_rooms.iter().filter(is_missed).cloned().collect()
}

/// The events as which messages arrived, where none arrived as the contract says.
fn arrived_as(found: &Findings) -> Vec<String> {
    let mut events: Vec<(&String, &u64)> = found.elsewhere.iter().collect();
    events.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
    if found.receipts > 0 { Vec::new() } else { events.into_iter().map(|(event, _)| event.clone()).collect() }
}

fn errors(script_info: &ScriptInfo, tally: &Tally) -> Vec<ErrorResult> {
    let causes = tally.troubles().by_count().into_iter();
    causes
        .map(|(cause, trouble)| ErrorResult {
            cause: cause.to_owned(),
            count: trouble.count,
            is_wrong: trouble.is_wrong,
            rule: trouble.rule.map(|rule| rule.name().to_owned()),
            examples: trouble
                .instances
                .iter()
                .map(|instance| ErrorExample {
                    client: script_info.name(instance.who),
                    detail: instance.detail.clone(),
                    wire: wire(&instance.wire),
                })
                .collect(),
        })
        .collect()
}
