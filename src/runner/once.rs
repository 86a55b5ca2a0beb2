//! One run of one scenario: a plan, the engine, a result. Single runs, cases of a suite, loads of a search and turns of a
//! comparison all go through [`run_once`].

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use super::machines::Machines;
use super::operate::NodeOperator;
use super::package::number;
use super::server::{Place, is_local};
use super::unanswered::Unanswered;
use super::watch::Watch;
use super::{Error, Event, Listener, ServerConfig, machine, secrets};
use crate::document::Source;
use crate::engine::{self, Accounts, Ending, EngineConfig, Operated, Operator, Ran, RunProgress};
use crate::measure::{ScriptInfo, Tally, format};
use crate::observe::{Counter, Metric};
use crate::plan::{Plan, RunOptions};
use crate::protocol::Rule;
use crate::protocol::dialect::Version;
use crate::report::result::{Environment, ScenarioInfo, TargetInfo};
use crate::report::{self, Account, Run, RunResult};
use crate::scenario::Scenario;
use crate::server::Nodes;
use crate::session::Transport;
use crate::step::Traces;
use crate::threshold::Threshold;
use crate::verdict::{End, Generator, Judged, Measured, Outcome, judge_thresholds};

/// What is run, where and how.
pub(super) struct SingleRun<'a> {
    /// The other machines that play the clients, if others do.
    pub(super) machines: Option<&'a Machines>,
    pub(super) source: &'a Source,
    pub(super) scenario: &'a Scenario,
    /// Where its nodes are.
    pub(super) places: &'a [Place],
    /// The names of the nodes.
    pub(super) nodes: &'a [String],
    /// What the command line says of every client.
    pub(super) server: &'a ServerConfig,
    /// The namespace of groups that name none.
    pub(super) namespace: Option<&'a str>,
    /// The transport of groups that name none.
    pub(super) transport: Transport,
    /// Whether groups that do not say offer compression.
    pub(super) compression: bool,
    /// The trace contexts that clients send.
    pub(super) traces: Traces,
    /// The seed of all random numbers.
    pub(super) seed: u64,
    /// How many threads run the clients.
    pub(super) workers: usize,
    /// The longest that the run may take.
    pub(super) max_time: Option<Duration>,
    /// By which broken rules so much is lost that a case waits in vain. None for those who do not look.
    pub(super) is_ruinous: Option<&'a dyn Fn(Rule) -> bool>,
    /// The least share of the deliveries that the audit has to judge, from 0 to 1, if there is one.
    pub(super) strict_audit: Option<f64>,
    /// Set when the run is to be stopped.
    pub(super) stop: &'a AtomicBool,
    /// What the result says of the scenario.
    pub(super) info: ScenarioInfo,
    /// What the result says of the server.
    pub(super) target: TargetInfo,
}

/// For so long a case goes on after the server has broken a rule by which so much is lost, and after the time that it takes.
const LAST_WAIT: Duration = Duration::from_secs(3);

impl SingleRun<'_> {
    /// Ends a case that waits in vain. `until` is when it does, once that is known.
    fn give_up(&self, progress: &RunProgress<'_>, until: &mut Option<Duration>) {
        let Some(is_ruinous) = self.is_ruinous else { return };
        if until.is_none() && !progress.seconds.is_empty() {
            let tally = progress.accounts.tally();
            let troubles = tally.troubles().by_count();
            let mut rules = troubles.iter().filter_map(|(_, trouble)| trouble.rule);
            *until = rules.any(is_ruinous).then(|| progress.elapsed.max(self.scenario.takes) + LAST_WAIT);
        }
        if until.is_some_and(|until| progress.elapsed >= until) {
            progress.halt.set(true);
        }
    }
}

/// How a run is watched that is measured.
pub(super) struct Watching<'a, 'l> {
    /// The server, which is sampled.
    pub(super) running: &'a Nodes,
    pub(super) listener: &'a mut Listener<'l>,
}

/// The outcome of a run, with what its result does not contain.
pub(super) struct Ended {
    pub(super) result: RunResult,
    pub(super) ending: Ending,
    /// How many connections were never made.
    pub(super) unreached: u64,
    /// Whether a connection was lost unasked.
    pub(super) has_dropped: bool,
    /// Whether a connection was not made, or was lost unasked.
    pub(super) has_accident: bool,
    /// The longest that the server took for each phase of a connect that went on.
    pub(super) slowest: [Option<Duration>; PHASES.len()],
    /// The longest that it took to answer an event.
    pub(super) slowest_answer: Option<Duration>,
}

/// What a server does for every client that connects.
pub(super) const PHASES: [Metric; 4] =
    [Metric::ConnectTcp, Metric::ConnectHandshake, Metric::ConnectOpen, Metric::ConnectNamespace];

/// Runs a scenario. Without anybody who watches, it is a case: its deliveries are not audited, because it is over when its
/// steps have proved their clause, and it does not depend on how busy this machine is.
///
/// # Errors
/// When we could not test, or the listener wanted no more.
pub(super) fn run_once(once: &SingleRun<'_>, watching: Option<Watching<'_, '_>>) -> Result<Ended, Error> {
    let started = SystemTime::now();
    let secrets = secrets::of(once.source, once.scenario, &once.server.secrets);
    let run_options = RunOptions {
        nodes: once.nodes.to_vec(),
        origins: once.places.iter().map(|place| place.peer.origin()).collect(),
        path: once.places[0].path.clone(),
        query: once.server.query.clone(),
        headers: once.server.headers.clone(),
        auth: once.server.auth.clone(),
        secrets,
        namespace: once.namespace.map(str::to_owned),
        is_secure: once.places.iter().all(|place| place.peer.tls.is_some() || is_local(place)),
        protocol: once.places.first().map_or(Version::V4, |place| place.protocol),
        transport: once.transport,
        compression: once.compression,
        traces: once.traces,
        seed: once.seed,
        run: once.machines.map_or_else(number, Machines::run),
        epoch: once.machines.map_or_else(Instant::now, Machines::start),
        audit: watching.is_some(),
        machine: None,
    };
    let plan = Plan::new(once.scenario, run_options);
    let operator = watching.as_ref().map(|watching| NodeOperator {
        nodes: watching.running,
        starting: once.server.starting(once.server.manners(once.scenario), Arc::default()),
    });
    let config = EngineConfig {
        workers: once.workers,
        peers: once.places.iter().map(|place| place.peer.clone()).collect(),
        max_time: once.max_time,
        stop: once.stop,
        operator: operator.as_ref().map(|operator| operator as &dyn Operator),
    };
    let facts = Facts {
        once,
        plan: &plan,
        script_info: plan.script_info(&once.source.name, &once.source.text),
        names: once.scenario.asked_names(),
        started,
    };
    match watching {
        None => {
            let mut until = None;
            let ran = engine::run(&plan, &config, &mut |progress| once.give_up(&progress, &mut until));
            let ran = ran.map_err(failed)?;
            Ok(Ended::new(facts.of_case(&ran), &ran))
        }
        Some(Watching { running, listener }) => {
            let workers = once.machines.map_or(once.workers, Machines::workers);
            let watch = Watch::new(&plan, once.scenario.lasts(), running, workers);
            let environment = machine::environment(Some(once.places.iter().any(is_local)));
            let unanswered = Unanswered::new(&plan, once.scenario);
            let mut watched = WatchedRun { facts, watch, environment, listener, unanswered, ending: None };
            let mut hear = |progress: RunProgress<'_>| watched.hear(progress);
            let ran = match once.machines {
                Some(machines) => machines.conduct(&plan, &config, &mut hear),
                None => engine::run(&plan, &config, &mut hear),
            };
            let told = (watched.listener)(Event::RunEnded);
            let ran = ran.map_err(failed)?;
            watched.watch.finish(&ran);
            match watched.ending.take() {
                Some(EarlyEnd::Refused(why)) => Err(why),
                early => {
                    told?;
                    Ok(Ended::new(watched.result(&ran, early), &ran))
                }
            }
        }
    }
}

/// Why the engine could not test.
fn failed(why: String) -> Error {
    Error::because(format!("failed to {why}"))
}

impl Ended {
    fn new(result: RunResult, ran: &Ran) -> Ended {
        let has = |counter| ran.tally.counter(counter) > 0;
        let longest = |metric| ran.tally.series(metric)?.max();
        Ended {
            result,
            ending: ran.ending,
            unreached: ran.unreached,
            has_dropped: has(Counter::Dropped),
            has_accident: has(Counter::Dropped) || has(Counter::ConnectFailed),
            slowest: PHASES.map(longest),
            slowest_answer: longest(Metric::AckService).max(longest(Metric::ResponseService)),
        }
    }
}

/// What every result of a run says, however the run ended.
struct Facts<'a> {
    once: &'a SingleRun<'a>,
    plan: &'a Plan<'a>,
    script_info: ScriptInfo,
    /// The groups and labels that thresholds ask about.
    names: Vec<String>,
    started: SystemTime,
}

impl Facts<'_> {
    /// A run of which this was counted, that ended well and of which no more is known.
    fn run<'r>(&'r self, tally: &'r Tally, duration: Duration) -> Run<'r> {
        Run {
            scenario: self.once.info.clone(),
            target: self.once.target.clone(),
            started: self.started,
            duration,
            account: Account::default(),
            script_info: &self.script_info,
            tally,
            names: &self.names,
            parts: &[],
            deliveries: None,
            learned: self.plan.context.learned.as_ref().map(|nodes| (nodes.told(), 0)),
            operations: &[],
            disturbed: &[],
            whole_after: &[],
            thresholds: &self.once.scenario.thresholds,
            completed_steps: 0,
            end: End::Finished,
            strict_audit: self.once.strict_audit,
            machine: Generator::default(),
        }
    }

    fn of_case(&self, ran: &Ran) -> RunResult {
        report::collect(Run {
            parts: &ran.parts,
            operations: &ran.operations,
            completed_steps: ran.completed_steps,
            ..self.run(&ran.tally, ran.duration)
        })
    }
}

/// Why a run is ended early from here.
enum EarlyEnd {
    /// A threshold was breached: the sentence about it.
    Breached(String),
    /// An event is never acknowledged: the sentence about it.
    Unanswered(String),
    /// The listener wants no more: why.
    Refused(Error),
}

/// A run under way that is watched.
struct WatchedRun<'a, 'l> {
    facts: Facts<'a>,
    watch: Watch<'a>,
    environment: Environment,
    listener: &'a mut Listener<'l>,
    unanswered: Unanswered,
    ending: Option<EarlyEnd>,
}

impl WatchedRun<'_, '_> {
    fn hear(&mut self, mut progress: RunProgress<'_>) {
        self.watch.hear(&mut progress);
        for second in progress.seconds {
            self.watch.take(second);
            let (accounts, now) = (progress.accounts, second.end);
            let acts = (&progress.operations[..], &progress.disturbed[..]);
            let refused = self.so_far(accounts, acts, now).err().map(EarlyEnd::Refused);
            let breached = || self.breached(accounts, now).map(EarlyEnd::Breached);
            let unanswered = || {
                let has_missed = accounts.misses(Counter::AckMissed) > 0;
                let sentence = has_missed.then(|| self.unanswered.sentence(&accounts.tally(), now));
                sentence.flatten().map(EarlyEnd::Unanswered)
            };
            let early = refused.or_else(breached).or_else(unanswered);
            self.ending = self.ending.take().or(early);
        }
        let refused = (self.listener)(Event::RunGoesOn(&self.watch.live(&progress))).err();
        self.ending = self.ending.take().or(refused.map(EarlyEnd::Refused));
        if self.ending.is_some() {
            progress.halt.set(true);
        }
    }

    /// Reports the result that the run would have if it had been interrupted at that time.
    fn so_far(
        &mut self,
        accounts: &Accounts,
        (operations, disturbed): (&[Operated], &[(Duration, Duration)]),
        now: Duration,
    ) -> Result<(), Error> {
        let WatchedRun { facts, watch, environment, listener, .. } = self;
        listener(Event::RunSoFar(&|| {
            let (tally, findings) = (accounts.tally(), accounts.findings());
            report::collect(Run {
                account: account(facts, watch, environment, now),
                parts: accounts.parts(),
                deliveries: findings.as_ref(),
                operations,
                disturbed,
                end: End::Interrupted,
                ..facts.run(&tally, now)
            })
        }))
    }

    /// The sentence about the first threshold that ends the run, if one does.
    fn breached(&self, accounts: &Accounts, now: Duration) -> Option<String> {
        let thresholds = &self.facts.once.scenario.thresholds;
        if !thresholds.iter().any(|threshold| threshold.aborts) {
            return None;
        }
        let (tally, findings) = (accounts.tally(), accounts.findings());
        let measured = Measured {
            tally: &tally,
            parts: accounts.parts(),
            deliveries: findings.as_ref(),
            duration: self.watch.measured(now),
            whole: now,
            whole_after: &[],
        };
        let judged = judge_thresholds(thresholds, &measured);
        let is_breached = |(threshold, judged): &(&Threshold, &Judged)| {
            threshold.aborts && judged.outcome == Outcome::Missed
        };
        let (_, first) = thresholds.iter().zip(&judged).find(is_breached)?;
        Some(format!("{}, after {}", first.sentence(), format::duration(now)))
    }

    fn result(&self, ran: &Ran, early: Option<EarlyEnd>) -> RunResult {
        let (without_port, without_file) = ran.shortages;
        report::collect(Run {
            account: account(&self.facts, &self.watch, &self.environment, ran.duration),
            parts: &ran.parts,
            deliveries: ran.findings.as_ref(),
            learned: self.facts.plan.context.learned.as_ref().map(|nodes| (nodes.told(), ran.astray)),
            operations: &ran.operations,
            disturbed: &ran.disturbed,
            whole_after: &ran.whole_after,
            completed_steps: ran.completed_steps,
            end: match (ran.ending, early) {
                (Ending::Stopped, _) => End::Interrupted,
                (Ending::Halted, Some(EarlyEnd::Breached(sentence))) => End::Breached(sentence),
                (Ending::Halted, Some(EarlyEnd::Unanswered(sentence))) => End::Unanswered(sentence),
                (Ending::Finished, _) => match self.unanswered.sentence(&ran.tally, ran.duration) {
                    Some(sentence) => End::Unanswered(sentence),
                    None => End::Finished,
                },
                _ => End::Finished,
            },
            machine: Generator {
                busiest: self.watch.busiest(),
                // What other programs do here matters where the clients are.
                others: self.watch.others().filter(|_| self.facts.once.machines.is_none()),
                without_port,
                without_file,
                out_of_time: ran.ending == Ending::OutOfTime,
                lost: ran.lost.clone(),
                clocks: self.facts.once.machines.and_then(Machines::clocks),
            },
            ..self.facts.run(&ran.tally, ran.duration)
        })
    }
}

/// What is known beside what was counted, up to that time.
fn account(facts: &Facts<'_>, watch: &Watch<'_>, environment: &Environment, now: Duration) -> Account {
    let clients = facts.plan.parts.iter().map(|part| part.count).sum();
    let agents = facts.once.machines.map_or_else(Vec::new, |machines| machines.results(clients));
    let mut generator = watch.generator();
    if !agents.is_empty() {
        generator.cpu_us = agents.iter().map(|agent| agent.cpu_us).sum();
        generator.memory_peak = 0;
    }
    Account {
        agents,
        environment: environment.clone(),
        measured: Some(watch.measured(now)),
        phases: watch.phases(facts.plan.settle(), now),
        course: watch.course(),
        generator: Some(generator),
        server: watch.server(),
        server_end: watch.server_end(),
    }
}
