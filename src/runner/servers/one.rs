//! One of many servers: its versions, the suite, the bundled scenarios, and one load with its audit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use super::super::server::Focus;
use super::folder::Described;
use super::{ServersConfig, Told};
use crate::conformance::Versions;
use crate::matrix::result::{PackageVersion, Stage};
use crate::matrix::{LoadOutcome, ScenarioOutcome, ServerEntry, Start, Trouble};
use crate::measure::format;
use crate::observe::Metric;
use crate::report::RunResult;
use crate::report::result::MetricResult;
use crate::runner::{
    Bundled, Cases, Error, Event, GivenServer, NamedServer, RunConfig, ScenarioRun, Suite, SuiteConfig,
    select_one,
};
use crate::scenario::{Need, Overrides};
use crate::server::lines_of_command;
use crate::verdict::Status;

/// The load that each server is put under, how many clients it has, and how long it lasts.
const LOAD: &str = "load/small-rooms";
const CLIENTS: u32 = 100;
const LASTS: Duration = Duration::from_secs(10);

/// The longest that a scenario may take.
const LONGEST_RUN: Duration = Duration::from_secs(90);

/// The longest that the versions may take to be told.
const TELLING: Duration = Duration::from_secs(60);

/// A longer version is none, in characters.
const LONGEST_VERSION: usize = 80;

/// How soon the end of the time is noticed.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The load, as a result tells it.
pub(super) fn load_in_words() -> String {
    format!("{LOAD} --clients {CLIENTS} --duration {}", format::duration(LASTS).replace(' ', ""))
}

/// Plays a server.
pub(super) fn play(
    config: &ServersConfig,
    described: &Described,
    mut entry: ServerEntry,
    stop: &Arc<AtomicBool>,
    told: &Sender<Told>,
) -> ServerEntry {
    let Start::Command(line) = &described.what.start else { return entry };
    if entry.trouble.is_some() {
        return entry;
    }
    let tell = |stage: &str| drop(told.send(Told::Stage(described.name.clone(), stage.to_owned())));
    let own: Arc<AtomicBool> = Arc::default();
    let is_over = AtomicBool::new(false);
    let deadline = Instant::now() + config.limit;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) || Instant::now() >= deadline {
                    own.store(true, Ordering::Relaxed);
                }
                thread::sleep(LOOK_AGAIN);
            }
        });
        let mut player = Player { config, described, told, stop: &own, size: None };
        if let Err(trouble) = player.all(line, &mut entry, &tell) {
            entry.trouble = Some(trouble);
        }
        if own.load(Ordering::Relaxed) {
            let played = entry.suite.as_ref().map_or(0, |suite| suite.cases.len() as u64);
            let of = player.size.map_or_else(String::new, |size| format!(" of {size}"));
            let played = format!("{}{of} cases were played", format::count(played));
            let (stage, sentence) = match stop.load(Ordering::Relaxed) {
                true => (Stage::Interrupted, format!("it was interrupted: {played}")),
                false => {
                    let limit = format::duration(config.limit);
                    (Stage::Suite, format!("it was not played to the end within {limit}: {played}"))
                }
            };
            entry.trouble = Some(Trouble { stage, sentence, output: Vec::new() });
        }
        is_over.store(true, Ordering::Relaxed);
    });
    match &entry.trouble {
        Some(trouble) => tell(&trouble.sentence),
        None => tell("played"),
    }
    described.paths.hide_in(entry)
}

/// A server that is being played.
struct Player<'a> {
    config: &'a ServersConfig,
    described: &'a Described,
    told: &'a Sender<Told>,
    stop: &'a Arc<AtomicBool>,
    /// How many cases there are for it.
    size: Option<usize>,
}

impl Player<'_> {
    fn all(&mut self, line: &str, entry: &mut ServerEntry, tell: &dyn Fn(&str)) -> Result<(), Trouble> {
        entry.versions = self.versions();
        let server = self.server(line).map_err(|why| trouble(Stage::Start, &why))?;
        tell("plays the suite");
        let played = self.suite(&server, &entry.versions).map_err(|why| trouble(Stage::Start, &why))?;
        entry.suite = Some(played);
        if self.config.is_suite_only || self.is_stopped() {
            return Ok(());
        }
        tell("plays the scenarios");
        entry.scenarios = self.scenarios(&server, entry)?;
        if self.is_stopped() {
            return Ok(());
        }
        tell("plays the load");
        let overrides = Overrides { clients: Some(CLIENTS), duration: Some(LASTS), ..Overrides::default() };
        let run = self.run(&server, LOAD, &overrides).map_err(|why| trouble(Stage::Run, &why))?;
        entry.load = Some(outcome(&run));
        Ok(())
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What its own command tells of what it stands on.
    fn versions(&self) -> Vec<PackageVersion> {
        let Some(line) = &self.described.what.versions else { return Vec::new() };
        let gives_up = || self.is_stopped();
        let lines = lines_of_command(&self.described.paths.line(line), Vec::new(), TELLING, &gives_up);
        let read = |line: &String| {
            let (name, version) = line.trim().rsplit_once(' ')?;
            let is_short = name.len() + version.len() < LONGEST_VERSION;
            is_short.then(|| PackageVersion {
                name: format::printable(name.trim()),
                version: format::printable(version),
            })
        };
        lines.unwrap_or_default().iter().filter_map(read).collect()
    }

    fn server(&self, line: &str) -> Result<NamedServer, Error> {
        let Described { name, what, paths } = self.described;
        let given = &self.config.suites.given;
        let given = GivenServer {
            commands: vec![paths.line(line)],
            urls: Vec::new(),
            connect_timeout: what.connect_timeout.unwrap_or(given.connect_timeout),
            upgrade_timeout: what.upgrade_timeout.unwrap_or(given.upgrade_timeout),
            recovery: what.recovery.unwrap_or(given.recovery),
            protocol: Some(what.protocol),
            ..given.clone()
        };
        let words = ["--servers".to_owned(), self.config.folder.display().to_string()];
        let words = words.into_iter().chain(["--server-name".to_owned(), name.clone()]).collect();
        let config = given.one()?;
        let focus = Focus::on_one_of(config.nodes.len());
        Ok(NamedServer { name: name.clone(), config, words, focus })
    }

    fn suite(
        &mut self,
        server: &NamedServer,
        versions: &[PackageVersion],
    ) -> Result<crate::conformance::SuiteResult, Error> {
        let mut known = Versions::default();
        for one in versions {
            if let Ok((name, version)) = Versions::read_one(&format!("{} {}", one.name, one.version)) {
                known.note(&name, &version);
            }
        }
        let cases = Cases::read(self.config.suites.suite.folder.as_deref())?;
        let chosen = cases.choose(&self.config.suites.only, &self.config.suites.exclude)?;
        let config = SuiteConfig { versions: known, ..self.config.suites.suite.clone() };
        let told = self.told;
        let mut listener = |event: Event<'_>| {
            let told = match event {
                Event::SuiteGoesOn { elapsed, verdicts, all, last } => {
                    told.send(Told::Suite(elapsed, verdicts.to_vec(), all, last.to_owned()))
                }
                Event::SuiteEnded => told.send(Told::SuiteEnded),
                _ => Ok(()),
            };
            // Whoever listens goes on until all have ended.
            drop(told);
            Ok(())
        };
        let played = Suite::new(config, &cases, &chosen).run(server, self.stop, &mut listener)?;
        self.size = Some(played.size);
        let mut result = played.result;
        result.exit_code = result.status(false).exit_code();
        Ok(result)
    }

    /// The bundled scenarios that need nothing but the fixture, and recovery where it is there.
    fn scenarios(&self, server: &NamedServer, entry: &ServerEntry) -> Result<Vec<ScenarioOutcome>, Trouble> {
        let features = entry.suite.iter().flat_map(|suite| &suite.features);
        let recovers = features.into_iter().any(|feature| feature.name == "recovery" && feature.there);
        let mut outcomes = Vec::new();
        for id in Bundled::all().into_iter().map(|one| one.id).filter(|id| !id.contains('/')) {
            if self.is_stopped() {
                break;
            }
            let selected = select_one(id, &Overrides::default()).map_err(|why| trouble(Stage::Run, &why))?;
            let scenario = &selected.scenario;
            let not_played = match () {
                () if scenario.needs.contains(&Need::Recovery) && !recovers => {
                    Some("recovery is not offered")
                }
                () if !scenario.protocols.contains(&self.described.what.protocol) => {
                    Some("it is for another version of the protocol")
                }
                () => None,
            };
            let name = scenario.name.clone();
            outcomes.push(match not_played {
                Some(why) => {
                    ScenarioOutcome { id: id.to_owned(), name, status: None, reason: why.to_owned() }
                }
                None => match self.run(server, id, &Overrides::default()) {
                    Ok(run) => ScenarioOutcome {
                        id: id.to_owned(),
                        name,
                        status: Some(run.verdict.status),
                        reason: run.verdict.reason,
                    },
                    Err(why) => ScenarioOutcome {
                        id: id.to_owned(),
                        name,
                        status: Some(Status::Unreachable),
                        reason: why.line(),
                    },
                },
            });
        }
        Ok(outcomes)
    }

    fn run(&self, server: &NamedServer, id: &str, overrides: &Overrides) -> Result<RunResult, Error> {
        let selected = select_one(id, overrides)?;
        let config = RunConfig {
            seed: self.config.suites.suite.seed,
            max_time: Some(LONGEST_RUN),
            ..RunConfig::default()
        };
        let run =
            ScenarioRun { config: &config, server: &server.config, selected: &selected, stop: self.stop };
        let running = run.start()?;
        let result = run.run(&running, &mut |_| Ok(()));
        running.stop();
        result
    }
}

fn trouble(stage: Stage, error: &Error) -> Trouble {
    let mut lines = error.words.lines();
    let sentence = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let output = lines.map(|line| line.trim_start().trim_start_matches("| ").to_owned()).collect();
    Trouble { stage, sentence, output }
}

/// What is told of the load.
fn outcome(run: &RunResult) -> LoadOutcome {
    let quantile = |metric, of: fn(&MetricResult) -> Option<u64>| run.metric(metric).and_then(of);
    let measured = u128::from(run.measured_us.max(1));
    let cpu = |used: u64| u64::try_from(u128::from(used) * 1_000_000 / measured).unwrap_or(u64::MAX);
    let found = run.deliveries.as_ref();
    LoadOutcome {
        status: run.verdict.status,
        reason: run.verdict.reason.clone(),
        clients: run.clients(),
        delivery_p50_us: quantile(Metric::Delivery, |metric| metric.p50_us),
        delivery_p99_us: quantile(Metric::Delivery, |metric| metric.p99_us),
        ack_p99_us: quantile(Metric::Ack, |metric| metric.p99_us),
        cpu_millionths: run.server.as_ref().map(|server| cpu(server.cpu_measured_us)),
        memory_peak: run.server.as_ref().map(|server| server.memory_peak),
        expected: found.map_or(0, |found| found.expected),
        missing: found.map_or(0, |found| found.missing),
        duplicate: found.map_or(0, |found| found.duplicate),
        disordered: found.map_or(0, |found| found.disordered),
        leaked: found.map_or(0, |found| found.leaked),
    }
}
