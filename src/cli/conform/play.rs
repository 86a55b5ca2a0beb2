//! Plays cases side by side, each as a run of its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::host::{Fate, Host, Place};
use super::pulse::Pulse;
use crate::cli::server::Server;
use crate::conformance::verdict::{Course, deviation, judge};
use crate::conformance::{Case, CaseResult, Variant, Verdict};
use crate::document::Source;
use crate::engine::{self, Ending, EngineConfig};
use crate::measure::format;
use crate::observe::Counter;
use crate::plan::{Plan, RunOptions};
use crate::report::result::{ScenarioInfo, TargetInfo};
use crate::report::{self, Run, RunResult};
use crate::scenario::{Need, Scenario};
use crate::session::Transport;
use crate::verdict::{End, Generator};

/// How many cases are played at a time beside those that are busy: long ones, and those that turn out to be.
pub(super) const MOST_WAITING: usize = 32;

/// A case that is played for so long mostly waits.
const BUSY: Duration = Duration::from_millis(500);

/// How many cases are played at a time that are played again because of a doubt; a third time, each alone.
const CALM: usize = 2;

/// The round in which every verdict is believed.
const LAST_ROUND: usize = 2;

/// Where more verdicts than these are doubted, calm would take too long.
const MANY: usize = 40;

/// A case that takes so much longer than a healthy server lets it is stopped.
const GRACE: Duration = Duration::from_secs(30);

/// How often the progress is told.
const TELLING: Duration = Duration::from_millis(100);

/// What all cases of a suite have in common.
pub(super) struct Suite<'a> {
    pub server: &'a Server<'a>,
    pub host: &'a Host<'a>,
    /// The one with recovery, where that is a server of its own.
    pub recovering: Option<&'a Host<'a>>,
    pub seed: u64,
    pub jobs: usize,
    pub stop: &'a AtomicBool,
    pub pulse: &'a Pulse,
    /// Whether the heartbeats are so short that a busy machine, or a busy server, misses one now and then. The reference
    /// server does not.
    pub is_hasty: bool,
    /// The command that plays one variant alone.
    pub command: &'a (dyn Fn(Variant<'_>) -> String + Sync),
}

/// What a play brought, before it is judged.
pub(super) struct Played {
    pub result: RunResult,
    pub course: Course,
    pub broken: bool,
    /// A connection did not come to be, or was lost.
    pub accident: bool,
}

/// A case that is being played.
struct Active {
    index: usize,
    begun: Instant,
    /// Whether it is known to wait for most of its time.
    waits: bool,
}

impl Active {
    fn is_busy(&self) -> bool {
        !self.waits && self.begun.elapsed() < BUSY
    }
}

/// Why a deviation is not believed at once.
#[derive(Clone, Copy)]
enum Doubt {
    /// This machine stalled for so long.
    Stall(Duration),
    /// A connection did not come to be, or was lost, under heartbeats that a busy machine misses now and then.
    Accident,
    /// Such heartbeats alone: a client that only looks does not lose its connection, but finds it closed.
    Haste,
}

impl Doubt {
    /// Whether a verdict is doubted in a round.
    fn holds(self, round: usize) -> bool {
        match self {
            Doubt::Stall(_) | Doubt::Accident => round < LAST_ROUND,
            Doubt::Haste => round == 0,
        }
    }
}

/// What a play came to, what became of the server, and why the verdict is to be doubted.
type Outcome = (CaseResult, Fate, Option<Doubt>);

/// Tells what a play came to when its thread ends, however it does. None when it was interrupted.
struct Told {
    results: mpsc::Sender<(usize, Option<Outcome>)>,
    index: usize,
    outcome: Option<Outcome>,
}

impl Drop for Told {
    fn drop(&mut self) {
        // Whoever does not listen any more has no use for it.
        let _ = self.results.send((self.index, self.outcome.take()));
    }
}

/// A number for each run of this process that no other has.
fn number() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..)));
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Plays a scenario once. None when it was interrupted.
///
/// # Errors
/// In words, when we could not test.
pub(super) fn play(
    server: &Server<'_>,
    place: &Place,
    source: &Source,
    scenario: &Scenario,
    transport: Transport,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Option<Played>, String> {
    let started = SystemTime::now();
    let run_options = RunOptions {
        path: place.path.clone(),
        query: place.query.clone(),
        headers: server.headers(),
        transport,
        seed,
        run: number(),
        epoch: Instant::now(),
        // A case proves its clause, and is over when it has.
        audit: false,
    };
    let plan = Plan::new(scenario, run_options);
    let script_info = plan.script_info(&source.name, &source.text);
    let max_time = Some(scenario.takes + GRACE);
    let config = EngineConfig { workers: 1, peer: place.peer.clone(), max_time, stop };
    let ran = engine::run(&plan, &config, &mut |_| {})?;
    if ran.ending == Ending::Stopped {
        return Ok(None);
    }
    let out_of_time = ran.ending == Ending::OutOfTime;
    let result = report::collect(Run {
        scenario: ScenarioInfo { name: scenario.name.clone(), seed, ..ScenarioInfo::default() },
        target: server.missing(),
        started,
        duration: ran.duration,
        account: report::Account::default(),
        script_info: &script_info,
        tally: &ran.tally,
        names: &[],
        parts: &[],
        deliveries: None,
        thresholds: &scenario.thresholds,
        completed_steps: ran.completed_steps,
        end: End::Finished,
        machine: Generator::default(),
    });
    let course = Course { unreached: ran.unreached, out_of_time };
    let dropped = ran.tally.counter(Counter::Dropped) > 0;
    let accident = dropped || ran.tally.counter(Counter::ConnectFailed) > 0;
    Ok(Some(Played { result, course, broken: ran.unreached > 0 || dropped, accident }))
}

impl Suite<'_> {
    /// Plays these variants and gives each result with its index. What is missing at the end was not played, because it was
    /// interrupted.
    pub(super) fn play(
        &self,
        variants: &[Variant<'_>],
        chosen: &[usize],
        tell: &mut dyn FnMut(Option<&CaseResult>),
    ) -> Vec<(usize, CaseResult)> {
        let (mut done, mut alone) = (Vec::new(), Vec::new());
        let mut doubted: BTreeMap<usize, (CaseResult, Doubt)> = BTreeMap::new();
        let mut next = chosen.to_vec();
        for round in 0..=LAST_ROUND {
            let jobs = match round {
                0 => self.jobs,
                _ if next.len() > MANY => self.jobs,
                1 => CALM,
                _ => 1,
            };
            let mut again = Vec::new();
            for (index, (result, fate, doubt)) in self.side_by_side(variants, &next, jobs, tell) {
                let before = doubted.remove(&index);
                match (fate, doubt) {
                    (Fate::Lived, Some(doubt)) if doubt.holds(round) => {
                        again.push(index);
                        doubted.insert(index, (result, doubt));
                    }
                    (Fate::Lived, _) => done.push((index, calmer(result, before))),
                    (Fate::Died, _) => alone.push((index, result)),
                    (Fate::Lost, _) => done.push((index, lost(result))),
                }
            }
            next = again;
        }
        // Who was interrupted is believed.
        done.extend(doubted.into_iter().map(|(index, (result, _))| (index, result)));
        // Whoever was there when the server died is played again without the others, to see who it was.
        for (index, before) in alone {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let variant = variants[index];
            let result = match self.host_of(variant).spare().then(|| self.one(variant)).flatten() {
                Some((result, Fate::Lived, _)) => result,
                Some((result, ..)) => killer(variant.case, result),
                None => lost(before),
            };
            tell(Some(&result));
            done.push((index, result));
        }
        done.sort_by_key(|(index, _)| *index);
        done
    }

    /// Plays these variants, the long ones first, so many at a time.
    fn side_by_side(
        &self,
        variants: &[Variant<'_>],
        chosen: &[usize],
        jobs: usize,
        tell: &mut dyn FnMut(Option<&CaseResult>),
    ) -> Vec<(usize, Outcome)> {
        let takes = |index: &usize| variants[*index].case.scenario.takes;
        let (mut long, short): (Vec<usize>, Vec<usize>) =
            chosen.iter().copied().partition(|index| takes(index) > Duration::ZERO);
        long.sort_by_key(|index| Reverse(takes(index)));
        let (mut long, mut short) = (VecDeque::from(long), VecDeque::from(short));
        let (results, inbox) = mpsc::channel();
        let mut outcomes = Vec::new();
        let mut active: Vec<Active> = Vec::new();
        thread::scope(|scope| {
            let begin = |index: usize, waits: bool| {
                let told = Told { results: results.clone(), index, outcome: None };
                scope.spawn(move || {
                    let mut told = told;
                    told.outcome = self.one(variants[index]);
                });
                Active { index, begun: Instant::now(), waits }
            };
            loop {
                let is_over = self.stop.load(Ordering::Relaxed);
                let busy = active.iter().filter(|active| active.is_busy()).count();
                let mut waiting = active.len() - busy;
                while waiting < MOST_WAITING && !is_over {
                    let Some(index) = long.pop_front() else { break };
                    active.push(begin(index, true));
                    waiting += 1;
                }
                for _ in busy..jobs {
                    if active.len() >= jobs + MOST_WAITING || is_over {
                        break;
                    }
                    active.extend(short.pop_front().map(|index| begin(index, false)));
                }
                if active.is_empty() {
                    break;
                }
                let Ok((index, outcome)) = inbox.recv_timeout(TELLING) else {
                    tell(None);
                    continue;
                };
                active.retain(|active| active.index != index);
                if let Some(outcome) = outcome {
                    if let (result, Fate::Lived, None) = &outcome {
                        tell(Some(result));
                    }
                    outcomes.push((index, outcome));
                }
            }
        });
        outcomes
    }

    /// The server on which a variant is played.
    fn host_of(&self, variant: Variant<'_>) -> &Host<'_> {
        let needs_recovery = variant.case.scenario.needs.contains(&Need::Recovery);
        self.recovering.filter(|_| needs_recovery).unwrap_or(self.host)
    }

    fn one(&self, variant: Variant<'_>) -> Option<Outcome> {
        let Case { source, scenario, .. } = variant.case;
        let host = self.host_of(variant);
        let label = variant.label();
        let place = host.enter(&label);
        let transport = variant.transport.unwrap_or_default();
        let seed = self.seed ^ hash(&label);
        let begun = Instant::now();
        let played = play(self.server, &place, source, scenario, transport, seed, self.stop);
        let broken = matches!(&played, Ok(Some(played)) if played.broken);
        let accident = matches!(&played, Ok(Some(played)) if played.accident);
        let fate = host.leave(&label, &place, broken);
        let mut case = blank(variant, (self.command)(variant));
        case.duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        match played {
            Ok(None) => return None,
            Ok(Some(played)) => {
                (case.verdict, case.reason) = judge(scenario.level, &played.result, played.course);
                let RunResult { checks, errors, duration_us, .. } = played.result;
                case.duration_us = duration_us;
                if case.verdict != Verdict::Pass {
                    case.checks =
                        checks.into_iter().filter(|check| check.failed + check.missed > 0).collect();
                    case.errors = errors;
                }
            }
            Err(why) => (case.verdict, case.reason) = (Verdict::Blocked, format!("failed to {why}")),
        }
        let stall = self.pulse.longest_since(begun).map(Doubt::Stall);
        let haste = if accident { Doubt::Accident } else { Doubt::Haste };
        let doubt = stall.or(self.is_hasty.then_some(haste));
        let doubt = doubt.filter(|_| case.verdict.is_deviation());
        Some((case, fate, doubt))
    }
}

/// A result that says nothing yet.
pub(super) fn blank(variant: Variant<'_>, command: String) -> CaseResult {
    let Variant { case, transport } = variant;
    CaseResult {
        id: case.id.clone(),
        transport,
        clause: case.scenario.clause.clone(),
        level: case.scenario.level,
        area: case.area().to_owned(),
        name: case.scenario.name.clone(),
        spec: case.scenario.spec.clone(),
        needs: case.scenario.needs.clone(),
        verdict: Verdict::Skip,
        reason: String::new(),
        checks: Vec::new(),
        errors: Vec::new(),
        duration_us: 0,
        command,
    }
}

/// A case that was played again because of a doubt.
fn calmer(mut result: CaseResult, before: Option<(CaseResult, Doubt)>) -> CaseResult {
    match before {
        Some((_, Doubt::Stall(time))) => {
            let time = format::duration(time);
            result.reason.push_str(&format!(" (played again, because this machine stalled for {time})"));
        }
        Some((_, Doubt::Accident | Doubt::Haste)) => {
            result.reason.push_str(" (played again, because heartbeats this short are missed now and then)");
        }
        None => {}
    }
    result
}

/// A case during which the server died for good says nothing, unless it passed.
fn lost(mut result: CaseResult) -> CaseResult {
    if result.verdict != Verdict::Pass {
        result.verdict = Verdict::Blocked;
        result.reason = format!("the server died meanwhile, for good: {}", result.reason);
    }
    result
}

/// A case that the server did not survive.
fn killer(case: &Case, mut result: CaseResult) -> CaseResult {
    if matches!(result.verdict, Verdict::Pass | Verdict::Blocked) {
        result.verdict = deviation(case.scenario.level);
    }
    result.reason = format!("the server died of it: {}", result.reason);
    result
}

/// The same number for the same text, on every machine: FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The server that a host holds, for reports.
pub(super) fn target(host: &Host<'_>) -> TargetInfo {
    host.with(TargetInfo::of)
}
