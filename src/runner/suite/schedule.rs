//! Runs cases side by side, each as a run of its own, and runs those again whose verdict is in doubt.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::cases::{is_about_time, rests_on};
use super::doubt::{Doubt, LAST_ROUND, blank, calmer, killer, lost, remarked};
use super::host::{Fate, Host, Life};
use super::stall::{StallWatch, busy};
use crate::conformance::attribution::{everywhere, give_up, settle, settle_with};
use crate::conformance::delay::{Delay, excuse, excuse_ends, rests_on_silence};
use crate::conformance::owner::{is_ruinous, is_shaky, owner};
use crate::conformance::verdict::{Course, judge};
use crate::conformance::{Case, CaseResult, Variant, Verdict};
use crate::document::Source;
use crate::engine::Ending;
use crate::protocol::Rule;
use crate::report::RunResult;
use crate::report::result::ScenarioInfo;
use crate::runner::once::{Ended, SingleRun, run_once};
use crate::runner::{Error, ServerConfig};
use crate::scenario::{Need, Scenario};
use crate::session::Transport;
use crate::step::Traces;

/// How many cases are played at a time beside those that are busy: long ones, and those that turn out to be.
pub(super) const MOST_WAITING: usize = 32;

/// The same, where each answer takes so long whoever asks that cases do little else than wait.
pub(super) const MOST_WAITING_LONG: usize = 96;

/// A case that is played for so long mostly waits.
const BUSY: Duration = Duration::from_millis(500);

/// How many cases are played at a time that are played again because of a doubt; a third time, each alone.
const CALM: usize = 2;

/// Where more verdicts than these are doubted, calm would take too long, and half as many cases at a time have to do.
const MANY: usize = 40;

/// For so long cases are played again, those first that take the shortest: a server that keeps most of them waiting does so the
/// second time, too.
const SECOND_CHANCES: Duration = Duration::from_secs(15);

/// No case is played again that would end later than this after the suite began.
const LONGEST: Duration = Duration::from_secs(50);

/// A case is stopped when it takes this much longer than with a healthy server.
const GRACE: Duration = Duration::from_secs(30);

/// How often the progress is reported.
const TELLING: Duration = Duration::from_millis(100);

/// What all cases of a suite have in common.
pub(super) struct Schedule<'a> {
    pub server: &'a ServerConfig,
    pub host: &'a Host<'a>,
    /// The one with recovery, where that is a server of its own.
    pub recovering: Option<&'a Host<'a>>,
    /// When the suite began.
    pub begun: Instant,
    pub seed: u64,
    pub jobs: usize,
    /// How many cases may wait for a server that is slow.
    pub most_waiting: usize,
    pub stop: &'a AtomicBool,
    pub stalls: &'a StallWatch,
    /// The shortest of the server's times: between two heartbeats, to join, to upgrade.
    pub shortest: Duration,
    /// Whether the heartbeats are so short that a busy machine, or a busy server, misses one now and then. The reference
    /// server does not.
    pub is_hasty: bool,
    /// Whether it is the reference server: what is slow there is a fault.
    pub is_reference: bool,
    /// The command that plays one variant alone.
    pub command: &'a (dyn Fn(Variant<'_>) -> String + Sync),
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

/// When cases have to be over that are played again.
struct Until {
    until: Instant,
    /// How long each took before.
    took: BTreeMap<usize, Duration>,
}

impl Until {
    fn leaves_time_for(&self, index: usize) -> bool {
        let took = self.took.get(&index).copied().unwrap_or_default();
        Instant::now() + took < self.until
    }
}

/// The outcome of a case, what happened to the server, and why the verdict may be wrong.
type Played = (CaseResult, Fate, Option<Doubt>);

/// Takes the result of a case, or nothing when it is time to report the progress of the suite.
pub(super) type Tell<'a> = dyn FnMut(Option<&CaseResult>) + 'a;

/// Reports the outcome of a case when its thread ends, also by a panic. None if the case was interrupted.
struct Told {
    results: mpsc::Sender<(usize, Option<Played>)>,
    index: usize,
    outcome: Option<Played>,
}

impl Drop for Told {
    fn drop(&mut self) {
        // If the receiver is gone, the result is not needed.
        let _ = self.results.send((self.index, self.outcome.take()));
    }
}

/// Runs a scenario once as a case. None when it was interrupted.
///
/// # Errors
/// When we could not test.
#[allow(clippy::too_many_arguments)]
pub(super) fn run_case(
    server: &ServerConfig,
    life: &Life,
    source: &Source,
    scenario: &Scenario,
    namespace: Option<&str>,
    transport: Transport,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Option<Ended>, Error> {
    let run = SingleRun {
        machines: None,
        source,
        scenario,
        places: &life.places,
        nodes: &life.names,
        server,
        // A case is about the namespaces that it names, and not that of the url.
        namespace,
        transport,
        compression: false,
        traces: Traces::default(),
        seed,
        workers: 1,
        max_time: Some(scenario.takes + GRACE),
        is_ruinous: Some(&|rule| is_ruinous(rule, &scenario.clause)),
        strict_audit: None,
        stop,
        info: ScenarioInfo { name: scenario.name.clone(), seed, ..ScenarioInfo::default() },
        target: server.missing(),
    };
    let ended = run_once(&run, None)?;
    Ok(Some(ended).filter(|ended| ended.ending != Ending::Stopped))
}

impl Ended {
    /// Whether connections broke, so that the server may be dying.
    pub(super) fn is_broken(&self) -> bool {
        self.unreached > 0 || self.has_dropped
    }
}

impl Schedule<'_> {
    /// Plays these variants and gives each result with its index. What is missing at the end was not played, because it was
    /// interrupted.
    pub(super) fn run(
        &self,
        variants: &[Variant<'_>],
        chosen: &[usize],
        tell: &mut Tell<'_>,
    ) -> Vec<(usize, CaseResult)> {
        let (mut done, mut alone) = (Vec::new(), Vec::new());
        let mut doubted: BTreeMap<usize, (CaseResult, Doubt)> = BTreeMap::new();
        let mut next = chosen.to_vec();
        let mut until = None;
        for round in 0..=LAST_ROUND {
            let jobs = match round {
                0 => self.jobs,
                1 if next.len() > MANY => (self.jobs / 2).max(CALM),
                _ if next.len() > MANY => CALM,
                1 => CALM,
                _ => 1,
            };
            let mut again = Vec::new();
            // Who kept a case waiting does so the second time, too.
            let took = |index: &usize| {
                doubted.get(index).map_or(0, |(result, _): &(CaseResult, Doubt)| result.duration_us)
            };
            let took = next.iter().map(|index| (*index, Duration::from_micros(took(index)))).collect();
            let in_time = until.map(|until| Until { until, took });
            for (index, (result, fate, doubt)) in self.side_by_side(variants, &next, jobs, in_time, tell) {
                let before = doubted.remove(&index);
                match (fate, doubt) {
                    (Fate::Lived, Some(doubt)) if doubt.holds(round) => {
                        again.push(index);
                        doubted.insert(index, (result, doubt));
                    }
                    (Fate::Lived, doubt) => {
                        let busy = doubt.filter(|_| !self.is_reference).and_then(|_| busy());
                        let mut result = calmer(result, before);
                        // Not even alone was it calm.
                        if busy.is_some() && !matches!(doubt, Some(Doubt::Haste)) {
                            excuse_ends(&mut result);
                        }
                        done.push((index, remarked(result, busy)));
                    }
                    (Fate::Died, _) => alone.push((index, result)),
                    (Fate::Lost, _) => done.push((index, lost(result))),
                }
            }
            // What a rule stopped that is broken wherever one looks is not stopped by a busy machine.
            let known =
                done.iter().map(|(_, result)| result).chain(doubted.values().map(|(result, _)| result));
            let everywhere = everywhere(known);
            for index in std::mem::take(&mut again) {
                let Some((mut result, doubt)) = doubted.remove(&index) else { continue };
                settle_with(&mut result, &[], &everywhere);
                match result.by.as_deref().is_some_and(|by| !is_shaky(by)) {
                    true => {
                        tell(Some(&result));
                        done.push((index, result));
                    }
                    false => {
                        again.push(index);
                        doubted.insert(index, (result, doubt));
                    }
                }
            }
            again.sort_by_key(|index| doubted.get(index).map(|(result, _)| result.duration_us));
            next = again;
            until = until.or_else(|| Some(self.end_of_chances()));
        }
        // What there was no time for, or was interrupted, is believed, but for ends that a busy machine may have brought.
        let busy = busy().filter(|_| !doubted.is_empty() && !self.is_reference);
        for (index, (mut result, _)) in doubted {
            if busy.is_some() {
                excuse_ends(&mut result);
            }
            tell(Some(&result));
            done.push((index, remarked(result, busy)));
        }
        // The cases that were running when the server died are repeated one by one, to find the one that ended it.
        for (index, before) in alone {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let variant = variants[index];
            let result = match self.host_of(variant).spare().then(|| self.one(variant)).flatten() {
                Some((result, Fate::Lived, _)) => result,
                Some((result, ..)) => killer(result, &self.host_of(variant).last_death()),
                None => lost(before),
            };
            tell(Some(&result));
            done.push((index, result));
        }
        if !self.is_reference {
            done.iter_mut().for_each(|(index, result)| self.excuse(variants[*index], result));
        }
        done.sort_by_key(|(index, _)| *index);
        done
    }

    /// Takes back what a server cannot be blamed for that answers later than its own times allow, whoever asks.
    fn excuse(&self, variant: Variant<'_>, result: &mut CaseResult) {
        let delay = Delay { took: self.stalls.always_takes(variant.transport), shortest: self.shortest };
        excuse(result, delay, is_about_time(variant));
    }

    /// How many cases may wait at a time. A server that needs long for each answer has no more to do by many that do.
    fn waits_for(&self) -> usize {
        match self.stalls.always_slow() {
            Some(_) => self.most_waiting,
            None => MOST_WAITING,
        }
    }

    /// Until when cases are played again: for a while, but not for long where it is the server that is slow and not this machine.
    fn end_of_chances(&self) -> Instant {
        let now = Instant::now();
        let end = now + SECOND_CHANCES;
        match busy() {
            Some(_) => end,
            None => end.min((self.begun + LONGEST).max(now)),
        }
    }

    /// Plays these variants, the long ones first, `jobs` at a time. Begins none that would not end in time, if there is an end.
    fn side_by_side(
        &self,
        variants: &[Variant<'_>],
        chosen: &[usize],
        jobs: usize,
        until: Option<Until>,
        tell: &mut Tell<'_>,
    ) -> Vec<(usize, Played)> {
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
                if let Some(until) = &until {
                    long.retain(|index| until.leaves_time_for(*index));
                    short.retain(|index| until.leaves_time_for(*index));
                }
                let is_over = self.stop.load(Ordering::Relaxed);
                let busy = active.iter().filter(|active| active.is_busy()).count();
                let mut waiting = active.len() - busy;
                let most_waiting = self.waits_for();
                while waiting < most_waiting && !is_over {
                    let Some(index) = long.pop_front() else { break };
                    active.push(begin(index, true));
                    waiting += 1;
                }
                for _ in busy..jobs {
                    if active.len() >= jobs + most_waiting || is_over {
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

    fn one(&self, variant: Variant<'_>) -> Option<Played> {
        let Case { source, scenario, namespace, .. } = variant.case;
        let namespace = namespace.as_deref();
        let host = self.host_of(variant);
        let label = variant.label();
        let life = host.enter(&label);
        let transport = variant.transport.unwrap_or_default();
        let seed = self.seed ^ hash(&label);
        let begun = Instant::now();
        let played = run_case(self.server, &life, source, scenario, namespace, transport, seed, self.stop);
        let broken = matches!(&played, Ok(Some(ended)) if ended.is_broken());
        let accident = matches!(&played, Ok(Some(ended)) if ended.has_accident);
        let has_not_reached = matches!(&played, Ok(Some(ended)) if ended.unreached > 0);
        if let Ok(Some(ended)) = &played {
            let took = ended.slowest.into_iter().chain([ended.slowest_answer]).flatten().max();
            self.stalls.note_server(took.unwrap_or_default());
            self.stalls.note_phases(variant.transport, ended.slowest);
        }
        let fate = host.leave(&label, &life, broken);
        let mut case = blank(variant, (self.command)(variant));
        case.duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        match played {
            Ok(None) => return None,
            Ok(Some(Ended { result, ending, unreached, .. })) => {
                let slow = self.stalls.server_since(begun).filter(|_| !self.is_reference);
                let course = Course { unreached, out_of_time: ending == Ending::OutOfTime, slow };
                (case.verdict, case.reason) = judge(scenario.level, &result, course);
                if case.verdict.is_deviation() {
                    case.reason.push_str(&rests_on(variant));
                }
                let RunResult { checks, errors, duration_us, .. } = result;
                case.duration_us = duration_us;
                if case.verdict != Verdict::Pass {
                    case.checks =
                        checks.into_iter().filter(|check| check.failed + check.missed > 0).collect();
                    case.errors = errors;
                    settle(&mut case);
                    if ending == Ending::Halted {
                        give_up(&mut case);
                    }
                }
            }
            Err(error) => (case.verdict, case.reason) = (Verdict::Blocked, error.line()),
        }
        let stall = self.stalls.longest_since(begun).map(Doubt::Stall);
        let haste = if accident { Doubt::Accident } else { Doubt::Haste };
        // A server that always keeps clients waiting may have served all others first.
        let always = || self.stalls.always_slow().filter(|_| rests_on_silence(&case));
        let slow = self.stalls.server_since(begun).or_else(always).map(Doubt::Slow);
        let slow = slow.filter(|_| !self.is_reference);
        // A heartbeat that comes too late on a busy machine ends whatever case is played then.
        let heartbeats = [Rule::PingMissing, Rule::PongMissing].map(owner);
        let is_late = case.by.as_deref().is_some_and(|by| heartbeats.contains(&Some(by)));
        let doubt = stall.or(slow).or(is_late.then_some(Doubt::Accident));
        let doubt = doubt.or(self.is_hasty.then_some(haste));
        // No machine is so busy that a server breaks other rules for it.
        let doubt = doubt.filter(|_| case.verdict.is_deviation() || case.by.as_deref().is_some_and(is_shaky));
        let unreached = matches!(case.verdict, Verdict::Blocked) && has_not_reached;
        let doubt = doubt.or(unreached.then_some(Doubt::Unreached));
        Some((case, fate, doubt))
    }
}

/// The same number for the same text, on every machine: FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_of_a_variant_depends_on_its_label_alone() {
        assert_eq!(hash("polling/order@upgrade"), hash("polling/order@upgrade"));
        assert_ne!(hash("polling/order@upgrade"), hash("polling/order@polling"));
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325, "FNV-1a begins there");
    }
}
