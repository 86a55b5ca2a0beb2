//! One scenario against one server, which it starts or finds: what `run`, a search and a comparison have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

use sha1::{Digest, Sha1};

use super::machines::{Machines, MachinesConfig};
use super::once::{Ended, SingleRun, Watching, run_once};
use super::package::Packing;
use super::{Error, Listener, Selected, ServerConfig, limits, machine, operate, webtransport};
use crate::measure::{ScriptInfo, Tally};
use crate::report::result::{ScenarioInfo, TargetInfo};
use crate::report::{self, Account, Run, RunResult};
use crate::server::{Nodes, NotReady, Process};
use crate::session::Transport;
use crate::step::Traces;
use crate::verdict::{End, Generator, Status};

/// If there are several workers, each has at least this number of clients.
const CLIENTS_A_WORKER: u32 = 50;

/// How a scenario is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunConfig {
    /// The seed of all random numbers; the same seed gives the same plan.
    pub seed: u64,
    /// How many threads run the clients; without it, one for each processor, and fewer for few clients.
    pub workers: Option<u16>,
    /// The transport of groups that name none; without it, what the scenario says, else WebSocket.
    pub transport: Option<Transport>,
    /// Whether groups that do not say offer compression of WebSocket messages.
    pub compression: bool,
    /// Whether each connect carries a trace context.
    pub traceparent: bool,
    /// The longest that a run may take.
    pub max_time: Option<Duration>,
    /// Whether scenarios may start commands.
    pub allows_commands: bool,
    /// The least share of the deliveries that the audit has to judge, from 0 to 1, if there is one.
    pub strict_audit: Option<f64>,
    /// The process of a server that was found, for its processor and memory.
    pub process: Option<u32>,
    /// What the run is called, in the course of many results; else by the commit that a CI system names.
    pub label: Option<String>,
    /// Which other machines play the clients, if others do.
    pub machines: Option<MachinesConfig>,
}

/// Where CI systems name the commit: GitHub, GitLab, Jenkins.
const COMMITS: [&str; 3] = ["GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"];

/// As much of a commit as tells it from others.
const COMMIT: usize = 12;

/// The commit that a CI system names in the environment, if one does.
fn commit(read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_commit = |text: &String| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    COMMITS
        .iter()
        .filter_map(|name| read(name))
        .find(is_commit)
        .map(|text| text.chars().take(COMMIT).collect())
}

/// One scenario, one server, and how to run the one against the other.
pub(crate) struct ScenarioRun<'a> {
    /// How it is run.
    pub config: &'a RunConfig,
    /// Against which server.
    pub server: &'a ServerConfig,
    /// What is run.
    pub selected: &'a Selected,
    /// Set when the run is to be stopped.
    pub stop: &'a Arc<AtomicBool>,
}

impl ScenarioRun<'_> {
    /// Looks whether this machine has files and ports enough for the clients.
    ///
    /// # Errors
    /// A sentence that says what is missing and what to do.
    pub(super) fn check_machine(&self) -> Result<(), String> {
        // Each agent looks for itself.
        if self.config.machines.is_some() {
            return Ok(());
        }
        let nodes: Vec<&str> = self.server.nodes.iter().map(|node| node.name.as_str()).collect();
        let sources = self.server.sources.len();
        limits::prepare(&self.selected.scenario, self.transport(), sources, &nodes, 1.0)
    }

    /// Refuses a contract that learns the node of each client from a balancer, where there is none, or several machines learn.
    fn check_sign(&self) -> Result<(), String> {
        let rule = self.selected.scenario.contract.node();
        match () {
            () if rule.is_some() && self.server.nodes.len() > 1 => Err(
                "`node` of the contract is for a balancer before nodes that sockrates does not know, and these are known: leave it \
                 out, or give the url of the balancer alone"
                    .to_owned(),
            ),
            () if rule.is_some_and(|rule| rule.names.is_empty()) && self.config.machines.is_some() => Err(
                "agents do not tell each other the names of the nodes behind a balancer: add them to `node` of the contract, as in \
                 `names: [a, b]`"
                    .to_owned(),
            ),
            () => Ok(()),
        }
    }

    /// Looks whether this machine has what the clients need, and starts the server or finds it.
    ///
    /// # Errors
    /// Why not. The result in it says that the server was not there.
    pub(crate) fn start(&self) -> Result<Nodes, Error> {
        let invalid = |why: String| Error { status: Some(Status::Invalid), ..Error::because(why) };
        let (scenario, is_allowed) = (&self.selected.scenario, self.config.allows_commands);
        let services = self.server.services(scenario, is_allowed).map_err(Error::because)?;
        self.server.check_links(scenario, &services).map_err(Error::because)?;
        self.check_sign().map_err(Error::because)?;
        webtransport::check_build(scenario, self.transport()).map_err(Error::because)?;
        self.check_machine().map_err(invalid)?;
        let process = self.config.process.map(Process::find).transpose().map_err(Error::because)?;
        let started = SystemTime::now();
        let starting = self.server.starting(self.server.manners(scenario), self.stop.clone());
        let targets = self.server.targets(scenario);
        let running = Nodes::start(targets, &scenario.links, &services, &starting);
        let mut running = running.map_err(|not_ready| {
            let why = not_ready.sentence();
            let (status, end) = match not_ready {
                NotReady::Cancelled { .. } => (Status::Interrupted, End::NotBegun(why)),
                _ => (Status::Unreachable, End::Unreachable(why)),
            };
            let result = self.not_begun(started, self.server.missing(), end);
            Error { status: Some(status), result: Some(Box::new(result)), ..Error::wrong(told(&not_ready)) }
        })?;
        if let Some(process) = process {
            running.watch(process);
        }
        Ok(running)
    }

    /// Runs the scenario against a server that is there.
    ///
    /// # Errors
    /// When we could not test, or the listener wanted no more.
    pub(crate) fn run(&self, running: &Nodes, listener: &mut Listener<'_>) -> Result<RunResult, Error> {
        self.run_to_end(running, listener).map(|ended| ended.result)
    }

    /// The same, with what the result does not say.
    pub(super) fn run_to_end(&self, running: &Nodes, listener: &mut Listener<'_>) -> Result<Ended, Error> {
        let ScenarioRun { config, server, selected, stop } = *self;
        let scenario = selected.knowing(server.timings(running.first().found())).map_err(Error::wrong)?;
        operate::check(&scenario, running).map_err(Error::because)?;
        let places = server.places(running).map_err(Error::because)?;
        webtransport::check_ways(&scenario, self.transport(), &places).map_err(Error::because)?;
        let nodes: Vec<String> = running.iter().map(|node| node.name.clone()).collect();
        let traces = Traces { run: fastrand::u64(..), on_connects: config.traceparent };
        let machines = match &config.machines {
            Some(machines) => {
                let (transport, compression) = (self.transport(), config.compression);
                let seed = config.seed;
                let packing = Packing { server, selected, transport, compression, traces, seed };
                let there = (running, &places[..]);
                let started = SystemTime::now();
                let gathered = Machines::gather(machines, &packing, &scenario, there, config.workers, stop);
                let target = TargetInfo::of_nodes(running);
                Some(gathered.map_err(|error| self.with_result(error, started, target))?)
            }
            None => None,
        };
        let run = SingleRun {
            machines: machines.as_ref(),
            source: &selected.source,
            scenario: &scenario,
            places: &places,
            nodes: &nodes,
            server,
            namespace: places[0].namespace.as_deref(),
            transport: self.transport(),
            compression: config.compression,
            traces,
            seed: config.seed,
            workers: config.workers.map_or_else(|| workers_for(scenario.clients()), usize::from),
            max_time: config.max_time,
            is_ruinous: None,
            strict_audit: config.strict_audit,
            stop,
            info: self.info(),
            target: TargetInfo::of_nodes(running),
        };
        run_once(&run, Some(Watching { running, listener }))
    }

    /// Why nothing could be run, with the result that says so where the user wanted no more.
    pub(super) fn with_result(&self, error: Error, started: SystemTime, target: TargetInfo) -> Error {
        if !error.is_interrupted() {
            return error;
        }
        let result = self.not_begun(started, target, End::NotBegun(error.line()));
        Error { result: Some(Box::new(result)), ..error }
    }

    /// The transport of groups that name none.
    fn transport(&self) -> Transport {
        let first = self.selected.scenario.transports.first().copied();
        self.config.transport.or(first).unwrap_or_default()
    }

    /// The result of a scenario that was not begun.
    fn not_begun(&self, started: SystemTime, target: TargetInfo, end: End) -> RunResult {
        report::collect(Run {
            scenario: self.info(),
            target,
            started,
            duration: started.elapsed().unwrap_or_default(),
            account: Account { environment: machine::environment(None), ..Account::default() },
            script_info: &ScriptInfo::default(),
            tally: &Tally::new(),
            names: &[],
            parts: &[],
            deliveries: None,
            learned: None,
            operations: &[],
            disturbed: &[],
            whole_after: &[],
            thresholds: &[],
            completed_steps: 0,
            end,
            strict_audit: None,
            machine: Generator::default(),
        })
    }

    fn info(&self) -> ScenarioInfo {
        let Selected { source, scenario, .. } = self.selected;
        ScenarioInfo {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            spec: (!scenario.spec.is_empty()).then(|| scenario.spec.join("; ")),
            label: self.config.label.clone().or_else(|| commit(|name| std::env::var(name).ok())),
            file: source.name.clone(),
            seed: self.config.seed,
            hash: hash(&source.text),
            overrides: scenario.overrides.clone(),
        }
    }
}

/// Why a server is not there, with the last that it said.
fn told(not_ready: &NotReady) -> String {
    let mut words = match not_ready {
        NotReady::Cancelled { .. } => not_ready.sentence(),
        _ => format!("error: {}", not_ready.sentence()),
    };
    not_ready.tail().iter().for_each(|line| words.push_str(&format!("\n  | {line}")));
    words
}

fn workers_for(clients: u32) -> usize {
    let processors = available_parallelism().map_or(1, |count| count.get());
    processors.min(clients.div_ceil(CLIENTS_A_WORKER) as usize).max(1)
}

/// SHA-1 of a text, in hexadecimal.
fn hash(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_clients_are_run_by_one_thread_and_many_by_no_more_than_there_are_processors() {
        assert_eq!([workers_for(0), workers_for(1), workers_for(CLIENTS_A_WORKER)], [1, 1, 1]);
        let processors = available_parallelism().map_or(1, |count| count.get());
        assert_eq!(workers_for(u32::MAX), processors);
    }

    #[test]
    fn a_scenario_is_known_again_by_the_hash_of_its_text() {
        assert_eq!(hash("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
