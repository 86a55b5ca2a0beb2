//! Plays one scenario against one server and judges it: what every verb that plays has in common.
//!
//! The verb says which scenario, which server and how to watch ([`Playing`]); it gets a [`RunResult`], or why nothing could
//! be played ([`Stopped`]). Prints nothing but the live display.

use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sha1::{Digest, Sha1};

use super::progress::Mode;
use super::select::Selected;
use super::server::Server;
use super::watch::Watch;
use super::{WRONG, complain, duration, interrupt, limits, machine};
use crate::engine::{self, Accounts, Ending, EngineConfig, Ran};
use crate::measure::{ScriptInfo, Tally, format};
use crate::plan::{Plan, RunOptions};
use crate::report::result::{Environment, ScenarioInfo, TargetInfo};
use crate::report::{self, Account, Run, RunResult};
use crate::server::{NotReady, Running};
use crate::session::Transport;
use crate::threshold::Threshold;
use crate::verdict::{End, Generator, Judged, Measured, Outcome, Status, judge_thresholds};

/// How a scenario is played, as the command line says.
#[derive(Clone, Debug, Args)]
pub(super) struct PlayArgs {
    /// The seed of all chance; the same seed gives the same plan
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// How many threads play the clients [default: one per processor, fewer for few clients]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) workers: Option<u16>,
    /// The transport of groups that name none [default: what the scenario says, else websocket]
    #[arg(long, value_name = "NAME", value_parser = transport())]
    pub(super) transport: Option<Transport>,
    /// Stop a scenario after this time, whatever is under way
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) max_time: Option<Duration>,
}

fn transport() -> impl TypedValueParser<Value = Transport> {
    PossibleValuesParser::new(Transport::ALL.map(Transport::name))
        .map(|name| Transport::ALL.into_iter().find(|one| one.name() == name).unwrap_or_default())
}

/// Fewer clients than this are played by one thread.
const CLIENTS_A_WORKER: u32 = 50;

/// Why nothing could be played.
pub(super) struct Stopped {
    pub(super) code: u8,
    pub(super) words: String,
    /// What goes into the result file all the same.
    pub(super) result: Option<Box<RunResult>>,
}

impl Stopped {
    /// The command line or the scenario is wrong.
    pub(super) fn wrong(words: impl Into<String>) -> Stopped {
        Stopped { code: WRONG, words: words.into(), result: None }
    }

    /// The same, where the sentence alone tells why.
    pub(super) fn error(why: impl std::fmt::Display) -> Stopped {
        Stopped::wrong(format!("error: {why}"))
    }

    /// What went wrong, in a line.
    pub(super) fn line(&self) -> String {
        self.words.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    }
}

/// The exit code of a verb that plays; tells why, if nothing could be played.
pub(super) fn exit(outcome: Result<u8, Stopped>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(Stopped { code, words, .. }) => {
            complain(words.trim_end());
            ExitCode::from(code)
        }
    }
}

/// One scenario, one server, and how to play the one against the other.
pub(super) struct Playing<'a> {
    pub(super) args: &'a PlayArgs,
    pub(super) server: &'a Server<'a>,
    pub(super) selected: &'a Selected,
    /// How it is watched.
    pub(super) mode: Mode,
    /// Set when the run is to be stopped.
    pub(super) stop: &'a Arc<AtomicBool>,
    /// Keeps what is known so far, each second, so that a crash loses little.
    pub(super) keep: Option<&'a dyn Fn(RunResult)>,
}

impl Playing<'_> {
    /// The transport of groups that name none.
    pub(super) fn transport(&self) -> Transport {
        let first = self.selected.scenario.transports.first().copied();
        self.args.transport.or(first).unwrap_or_default()
    }

    /// Looks whether this machine has what the clients need, and starts the server or finds it.
    pub(super) fn start(&self) -> Result<Running, Stopped> {
        let scenario = &self.selected.scenario;
        limits::prepare(scenario, self.transport(), self.server.sources()).map_err(|why| Stopped {
            code: Status::Invalid.exit_code(),
            ..Stopped::wrong(format!("error: {why}"))
        })?;
        let started = SystemTime::now();
        let starting = self.server.starting(self.stop.clone());
        self.server.target(scenario).start(&starting).map_err(|not_ready| match not_ready {
            NotReady::Cancelled => Stopped {
                code: interrupt::EXIT_CODE,
                ..Stopped::wrong("interrupted before the server answered")
            },
            not_ready => {
                let mut words = format!("error: {}", not_ready.sentence());
                for line in not_ready.tail() {
                    words.push_str(&format!("\n  | {line}"));
                }
                let result = Some(Box::new(self.unreachable(started, &not_ready)));
                Stopped { code: Status::Unreachable.exit_code(), words, result }
            }
        })
    }

    /// Plays the scenario against a server that runs.
    pub(super) fn play(&self, running: &Running) -> Result<RunResult, Stopped> {
        let Playing { args, server, selected, .. } = *self;
        let wrong = |why: String| Stopped::wrong(format!("error: {why}"));
        let started = SystemTime::now();
        let scenario = &selected.knowing(server.timings(running.found())).map_err(Stopped::wrong)?;
        let peer = server.peer(running).map_err(wrong)?;
        let run_options = RunOptions {
            path: running.endpoint().path.clone(),
            query: running.endpoint().query.clone().unwrap_or_default(),
            headers: server.headers(),
            transport: self.transport(),
            seed: args.seed,
            run: fastrand::u16(..),
            epoch: Instant::now(),
            audit: true,
        };
        let plan = Plan::new(scenario, run_options);
        let played = Played {
            playing: self,
            target: TargetInfo::of(running),
            environment: machine::environment(Some(peer.address.ip().is_loopback())),
            started,
            script_info: plan.script_info(&selected.source.name, &selected.source.text),
            names: scenario.asked_names(),
            plan: &plan,
        };
        let workers = args.workers.map_or_else(|| workers_for(scenario.clients()), usize::from);
        let config = EngineConfig { workers, peer, max_time: args.max_time, stop: self.stop };
        let mut watch = Watch::new(&plan, scenario.lasts(), running, workers, self.mode);
        let mut breached = None;
        let ran = engine::run(&plan, &config, &mut |progress| {
            watch.hear(progress, &mut |watch, accounts, now| {
                if let Some(keep) = self.keep {
                    keep(played.so_far(watch, accounts, now));
                }
                breached = played.breached(watch, accounts, now);
                if breached.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
        });
        let ran = ran.map_err(|why| wrong(format!("failed to {why}")))?;
        watch.finish(&ran);
        Ok(played.result(&watch, &ran, breached))
    }

    /// The result of a scenario that could not be played because its server is not there.
    fn unreachable(&self, started: SystemTime, not_ready: &NotReady) -> RunResult {
        report::collect(Run {
            scenario: self.info(),
            target: self.server.missing(),
            started,
            duration: started.elapsed().unwrap_or_default(),
            account: Account { environment: machine::environment(None), ..Account::default() },
            script_info: &ScriptInfo { steps: Vec::new(), groups: Vec::new() },
            tally: &Tally::new(),
            names: &[],
            parts: &[],
            deliveries: None,
            thresholds: &[],
            completed_steps: 0,
            end: End::Unreachable(not_ready.sentence()),
            machine: Generator::default(),
        })
    }

    fn info(&self) -> ScenarioInfo {
        let Selected { source, scenario, .. } = self.selected;
        ScenarioInfo {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            spec: (!scenario.spec.is_empty()).then(|| scenario.spec.join("; ")),
            file: source.name.clone(),
            seed: self.args.seed,
            hash: hash(&source.text),
            overrides: scenario.overrides.clone(),
        }
    }
}

/// A scenario that is being played, and all that its result says beside what was counted.
struct Played<'a> {
    playing: &'a Playing<'a>,
    target: TargetInfo,
    environment: Environment,
    started: SystemTime,
    script_info: ScriptInfo,
    /// The groups and labels that thresholds ask about.
    names: Vec<String>,
    plan: &'a Plan<'a>,
}

impl Played<'_> {
    /// What its result would be if it had been interrupted at that time.
    fn so_far(&self, watch: &Watch<'_>, accounts: &Accounts, now: Duration) -> RunResult {
        let (tally, findings) = (accounts.tally(), accounts.findings());
        report::collect(Run {
            duration: now,
            tally: &tally,
            parts: accounts.parts(),
            deliveries: findings.as_ref(),
            ..self.run(watch, now)
        })
    }

    fn result(&self, watch: &Watch<'_>, ran: &Ran, breached: Option<String>) -> RunResult {
        let end = match (ran.ending, breached) {
            (Ending::Stopped, _) => End::Interrupted,
            (Ending::Halted, Some(sentence)) => End::Breached(sentence),
            _ => End::Finished,
        };
        let (without_port, without_file) = ran.shortages;
        let out_of_time = ran.ending == Ending::OutOfTime;
        report::collect(Run {
            tally: &ran.tally,
            parts: &ran.parts,
            deliveries: ran.findings.as_ref(),
            completed_steps: ran.completed_steps,
            end,
            machine: Generator {
                busiest: watch.busiest(),
                others: watch.others(),
                without_port,
                without_file,
                out_of_time,
            },
            ..self.run(watch, ran.duration)
        })
    }

    /// The sentence about the first threshold that ends the run, if one does.
    fn breached(&self, watch: &Watch<'_>, accounts: &Accounts, now: Duration) -> Option<String> {
        let thresholds = &self.playing.selected.scenario.thresholds;
        if !thresholds.iter().any(|threshold| threshold.aborts) {
            return None;
        }
        let (tally, findings) = (accounts.tally(), accounts.findings());
        let measured = Measured {
            tally: &tally,
            parts: accounts.parts(),
            deliveries: findings.as_ref(),
            duration: watch.measured(now),
            whole: now,
        };
        let judged = judge_thresholds(thresholds, &measured);
        let breached = |(threshold, judged): &(&Threshold, &Judged)| {
            threshold.aborts && judged.outcome == Outcome::Missed
        };
        let (_, first) = thresholds.iter().zip(&judged).find(breached)?;
        Some(format!("{}, after {}", first.sentence(), format::duration(now)))
    }

    /// A run that was interrupted at that time and counted nothing.
    fn run<'r>(&'r self, watch: &Watch<'_>, duration: Duration) -> Run<'r> {
        static NOTHING: LazyLock<Tally> = LazyLock::new(Tally::new);
        Run {
            scenario: self.playing.info(),
            target: self.target.clone(),
            started: self.started,
            duration,
            account: Account {
                environment: self.environment.clone(),
                measured: Some(watch.measured(duration)),
                phases: watch.phases(self.plan, duration),
                course: watch.course(),
                generator: Some(watch.generator()),
                server: watch.server(),
            },
            script_info: &self.script_info,
            tally: &NOTHING,
            names: &self.names,
            parts: &[],
            deliveries: None,
            thresholds: &self.playing.selected.scenario.thresholds,
            completed_steps: 0,
            end: End::Interrupted,
            machine: Generator::default(),
        }
    }
}

fn workers_for(clients: u32) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    processors.min(clients.div_ceil(CLIENTS_A_WORKER) as usize).max(1)
}

/// SHA-1 of a text, in hexadecimal.
fn hash(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
