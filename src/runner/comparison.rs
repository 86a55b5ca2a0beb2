//! Servers side by side: the same scenario against each of them, block by block, in an order that is drawn for each block.
//! What the runs say, and what stored results say of each other, is concluded by [`crate::compare`].

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use super::machines::MachinesConfig;
use super::pin::Processors;
use super::secrets::clean;
use super::stored::read_text;
use super::{
    Error, Event, Listener, NamedServer, PlayedSuite, RunConfig, ScenarioRun, Selected, Suite, SuiteConfig,
};
use crate::compare::result::ServerEntry;
use crate::compare::{
    Block, ComparisonResult, Conformance, Contest, Deaths, Demand, Diff, Question, conclude, judge_demands,
    order, stored,
};
use crate::report::RunResult;
use crate::secrets::Secrets;
use crate::verdict::Status;

/// The share of comparisons of a server with itself in which any figure may seem to differ.
const LEVEL: f64 = 0.05;

/// How servers are compared.
#[derive(Clone, Debug, Default)]
pub(crate) struct ComparisonConfig {
    /// How each turn is run. The longest time is that of the whole comparison: no block begins that would not be finished
    /// within it.
    pub run: RunConfig,
    /// How many blocks are run; in each, every server has a turn, and the first one two.
    pub blocks: usize,
    /// The difference for which the missing blocks are calculated, as a share.
    pub effect: f64,
    /// Whether the server gets one processor and the clients the others.
    pub pin: bool,
    /// Whether the conformance suite is run afterwards, once against each server.
    pub conformance: bool,
}

/// A comparison of servers.
pub(crate) struct Comparison<'a> {
    /// How they are compared.
    pub config: &'a ComparisonConfig,
    /// Which.
    pub servers: &'a [NamedServer],
    /// What is run.
    pub selected: &'a Selected,
    /// Set when the comparison is to be stopped.
    pub stop: &'a Arc<AtomicBool>,
}

/// The outcome of a comparison.
pub(crate) struct Compared {
    /// What was found in the blocks that were finished.
    pub result: ComparisonResult,
    /// Why no more blocks were run, where that was an error.
    pub ended_by: Option<Error>,
    /// Why the suite could not be run against one of the servers.
    pub unexamined: Option<Error>,
}

impl Compared {
    /// What the user did not want to wait for any more is told in the result, too, and no secret is.
    fn ended(
        mut result: ComparisonResult,
        ended_by: Option<Error>,
        unexamined: Option<Error>,
        secrets: &Secrets,
    ) -> Result<Compared, Error> {
        let interrupted = ended_by.iter().filter(|error| error.is_interrupted());
        result.notes.extend(interrupted.map(Error::line));
        Ok(Compared { result: clean(result, secrets)?, ended_by, unexamined })
    }

    /// The status by these demands, and what is wrong, a sentence each.
    ///
    /// # Errors
    /// Why no more blocks were run, or the suite could not be run.
    pub(crate) fn judge(self, demands: &[Demand], is_stopped: bool) -> Result<(Status, Vec<String>), Error> {
        let all = &self.result.comparisons;
        if let Some(error) = self.ended_by {
            return Err(error);
        }
        if is_stopped {
            return Ok((Status::Interrupted, Vec::new()));
        }
        if all.iter().all(|comparison| comparison.rows.is_empty()) {
            return Ok((Status::Invalid, Vec::new()));
        }
        let mut judged = judge_demands(demands, all.iter().map(|one| (one.server.as_str(), &one.rows[..])));
        // As in a run: what ended without being asked to has failed, whatever was measured up to there.
        for death in Deaths::of(&self.result).iter().filter(|death| death.is_failure()) {
            judged.0 = Status::Failed;
            judged.1.push(format!("✗ {}", death.sentence()));
        }
        match self.unexamined {
            None => Ok(judged),
            Some(Error { status, words, result }) => {
                let words = judged.1.into_iter().chain([words]).collect::<Vec<_>>().join("\n");
                Err(Error { status, words, result })
            }
        }
    }
}

impl Comparison<'_> {
    /// Compares.
    ///
    /// # Errors
    /// When no block was finished, or a result could not be stored.
    pub(crate) fn run(&self, listener: &mut Listener<'_>) -> Result<Compared, Error> {
        if self.config.pin && self.config.run.machines.is_some() {
            return Err(Error::because(
                "`--pin` is for clients of this process: leave it out, or leave `--agents` out",
            ));
        }
        let processors =
            if self.config.pin { Some(Processors::divide().map_err(Error::because)?) } else { None };
        // For the whole comparison: each turn is played by the same agents.
        let started = SystemTime::now();
        let machines = match MachinesConfig::start(self.config.run.machines.clone(), self.stop) {
            Err(error) => return self.not_begun(error, started),
            Ok(machines) => machines,
        };
        let suite = match self.config.conformance {
            true => {
                Some(Suite::bundled(SuiteConfig { seed: self.config.run.seed, ..SuiteConfig::default() })?)
            }
            false => None,
        };
        let turns = Turns { comparison: self, machines, processors };
        let Played { blocks, unfinished, ended_by } = turns.run_all(listener)?;
        let (conformance, unexamined) = match (&suite, &ended_by) {
            (Some(suite), None) => turns.examine_all(suite, &blocks, listener)?,
            _ => (Vec::new(), None),
        };
        match self.conclude(&blocks, &unfinished, &conformance) {
            Some(result) => Compared::ended(result, ended_by, unexamined, self.secrets()),
            None => {
                Err(ended_by.unwrap_or_else(|| Error::interrupted("interrupted before the first run began")))
            }
        }
    }

    /// The comparison, when the user wanted no more before anything was started for it.
    fn not_begun(&self, error: Error, started: SystemTime) -> Result<Compared, Error> {
        let server = &self.servers[0].config;
        let run = ScenarioRun { config: &self.config.run, server, selected: self.selected, stop: self.stop };
        let mut error = run.with_result(error, started, server.missing());
        let unfinished: Vec<_> = error.result.take().map(|result| (0, *result)).into_iter().collect();
        match self.conclude(&[], &unfinished, &[]) {
            Some(result) => Compared::ended(result, Some(error), None, self.secrets()),
            None => Err(error),
        }
    }

    /// What must not stand in any output, of all servers.
    fn secrets(&self) -> &Secrets {
        &self.servers[0].config.secrets
    }

    /// Contestant 1 is the first server again.
    fn server_of(&self, contestant: usize) -> &NamedServer {
        &self.servers[contestant.saturating_sub(1)]
    }

    /// What the blocks and suites so far say. Without a finished block, the runs of the first one are kept. None without
    /// a run.
    fn conclude(
        &self,
        blocks: &[Block],
        unfinished: &[(usize, RunResult)],
        conformance: &[Conformance],
    ) -> Option<ComparisonResult> {
        let config = self.config;
        let run_of = |contestant: usize| match blocks.first() {
            Some(block) => block.runs.get(contestant),
            None => unfinished.iter().find(|(known, _)| *known == contestant).map(|(_, run)| run),
        };
        let first = run_of(0).or_else(|| unfinished.first().map(|(_, run)| run))?;
        let mut notes = Vec::new();
        for (index, server) in self.servers.iter().enumerate() {
            // Contestant 1 is the first server again.
            let looked = run_of(if index == 0 { 0 } else { index + 1 });
            let of_run = looked.into_iter().flat_map(|run| &run.target.notes);
            notes.extend(of_run.map(|note| format!("{}: {note}", server.name)));
        }
        let servers = self.servers.iter().enumerate().map(|(index, server)| {
            let target = server.config.missing();
            let what = target.command.unwrap_or(target.url);
            // Contestant 1 is the first server again.
            let contestant = if index == 0 { 0 } else { index + 1 };
            let software = run_of(contestant).and_then(|run| run.target.software.clone());
            ServerEntry { name: server.name.clone(), what, software }
        });
        if self.servers.iter().any(|server| server.config.is_found() && server.config.services.is_empty()) {
            notes.push(
                "a server that was already running is the same process in every block, and its processor time and memory \
                 are not known: start it with `--server`"
                    .to_owned(),
            );
        }
        if blocks.len() < config.blocks {
            notes.push(format!("{} of {} blocks were finished", blocks.len(), config.blocks));
        }
        let contest = Contest {
            scenario: first.scenario.clone(),
            environment: first.environment.clone(),
            started: first.started.clone(),
            servers: servers.collect(),
            blocks_asked: config.blocks,
            pinned: config.pin,
            question: Question { level: LEVEL, effect: config.effect, seed: config.run.seed },
            conformance: conformance.to_vec(),
            notes,
        };
        let result = conclude(contest, blocks);
        Some(if blocks.is_empty() { result.with_unfinished(unfinished) } else { result })
    }
}

/// Compares what two files of results hold.
///
/// # Errors
/// When one cannot be read, or they have nothing in common.
pub(crate) fn compare_files(old: &Path, new: &Path, seed: u64) -> Result<Diff, Error> {
    let read = |file: &Path| {
        let name = file.display();
        let text =
            read_text(file).map_err(|error| Error::because(format!("failed to read {name}: {error}")))?;
        stored::read(&text).map_err(|why| Error::because(format!("{name} {why}")))
    };
    let names = names([old, new]);
    let result = stored::compare((&names[0], &read(old)?), (&names[1], &read(new)?), LEVEL, seed);
    match result.comparisons.is_empty() {
        false => Ok(result),
        true => Err(Error::because(format!(
            "{} and {} have no scenario in common that was validly measured",
            old.display(),
            new.display()
        ))),
    }
}

/// How two files are called: by their names, and where these are the same, by their paths.
fn names(files: [&Path; 2]) -> [String; 2] {
    let [old, new] = files.map(|file| file.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    if old == new { files.map(|file| file.display().to_string()) } else { [old, new] }
}

/// A comparison under way: the turns of the servers.
struct Turns<'a> {
    comparison: &'a Comparison<'a>,
    /// Which other machines play the clients, if others do.
    machines: Option<MachinesConfig>,
    processors: Option<Processors>,
}

/// What was run of a comparison.
struct Played {
    blocks: Vec<Block>,
    /// The runs of a block that was not finished, each with its contestant.
    unfinished: Vec<(usize, RunResult)>,
    /// Why it ended early, where that was an error.
    ended_by: Option<Error>,
}

impl Turns<'_> {
    /// Runs block after block.
    fn run_all(&self, listener: &mut Listener<'_>) -> Result<Played, Error> {
        let Comparison { config, servers, .. } = *self.comparison;
        let began = Instant::now();
        let mut blocks = Vec::new();
        for order in order(servers.len() + 1, config.blocks, config.run.seed) {
            let finished = blocks.len() as u32;
            let a_block = began.elapsed().checked_div(finished).unwrap_or_default();
            if finished > 0 && config.run.max_time.is_some_and(|most| began.elapsed() + a_block > most) {
                break;
            }
            let mut runs = Vec::new();
            match self.run_block(&order, blocks.len() + 1, &mut runs, listener) {
                Ok(true) => {
                    runs.sort_by_key(|(contestant, _)| *contestant);
                    blocks.push(Block { order, runs: runs.into_iter().map(|(_, run)| run).collect() });
                }
                Ok(false) => return Ok(Played { blocks, unfinished: runs, ended_by: None }),
                Err(error) if blocks.is_empty() && runs.is_empty() => return Err(error),
                Err(error) => return Ok(Played { blocks, unfinished: runs, ended_by: Some(error) }),
            }
            self.tell(&blocks, &[], listener)?;
        }
        Ok(Played { blocks, unfinished: Vec::new(), ended_by: None })
    }

    /// Reports the result so far.
    fn tell(
        &self,
        blocks: &[Block],
        suites: &[Conformance],
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        let comparison = self.comparison;
        listener(Event::ResultSoFar(&|| {
            let result = comparison.conclude(blocks, &[], suites)?;
            Some(Box::new(clean(result, comparison.secrets()).ok()?))
        }))
    }

    /// Runs every contestant once, and keeps each run with its contestant. False if the user stopped it.
    fn run_block(
        &self,
        order: &[usize],
        number: usize,
        runs: &mut Vec<(usize, RunResult)>,
        listener: &mut Listener<'_>,
    ) -> Result<bool, Error> {
        let Comparison { config, stop, .. } = *self.comparison;
        for (place, contestant) in order.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let server = self.comparison.server_of(*contestant);
            let (block, turn) = ((number, config.blocks), (place + 1, order.len()));
            listener(Event::TurnBegins { block, turn, server: &server.name })?;
            let is_first = number == 1 && *contestant != 1;
            match self.run_turn(server, is_first, listener) {
                Ok(run) => runs.push((*contestant, run)),
                Err(mut error) => {
                    // What it waited for is known, though it was not begun.
                    let result = error.result.take().filter(|_| error.is_interrupted());
                    runs.extend(result.map(|result| (*contestant, *result)));
                    return Err(error);
                }
            }
        }
        // A signal that comes when the last of them has ended costs nothing.
        Ok(runs.iter().all(|(_, run)| run.verdict.status != Status::Interrupted))
    }

    /// Runs the scenario against a server. What the first look at it finds is told in its first turn.
    fn run_turn(
        &self,
        server: &NamedServer,
        is_first: bool,
        listener: &mut Listener<'_>,
    ) -> Result<RunResult, Error> {
        let Comparison { config, selected, stop, .. } = *self.comparison;
        let config = RunConfig { max_time: None, machines: self.machines.clone(), ..config.run.clone() };
        let run = ScenarioRun { config: &config, server: &server.config, selected, stop };
        self.assign(Processors::for_server)?;
        let running = run.start()?;
        if is_first {
            let name = &server.name;
            let mut tell = |note: &str| listener(Event::Noted(&format!("{name}: {note}")));
            running.notes().into_iter().try_for_each(&mut tell)?;
        }
        self.assign(Processors::for_clients)?;
        let result = run.run(&running, listener);
        running.stop();
        result
    }

    /// Runs the conformance suite against each server. The figures are there even where it could not be run.
    fn examine_all(
        &self,
        suite: &Suite,
        blocks: &[Block],
        listener: &mut Listener<'_>,
    ) -> Result<(Vec<Conformance>, Option<Error>), Error> {
        let Comparison { servers, stop, .. } = *self.comparison;
        let (mut all, mut unexamined) = (Vec::new(), None);
        // Clients and server share all processors here: a case may need either of them.
        self.assign(Processors::for_everybody)?;
        for server in servers {
            let name = &server.name;
            if stop.load(Ordering::Relaxed) {
                all.push(Conformance::missing(name, "interrupted before its first case".to_owned()));
                continue;
            }
            listener(Event::SuiteBegins { server: name })?;
            match suite.run(server, stop, listener) {
                Ok(PlayedSuite { result, size }) => {
                    let is_interrupted = stop.load(Ordering::Relaxed);
                    all.push(Conformance::of(&result, size, is_interrupted));
                }
                Err(error) => {
                    all.push(Conformance::missing(name, error.line()));
                    unexamined = unexamined.or(Some(error));
                }
            }
            self.tell(blocks, &all, listener)?;
        }
        Ok((all, unexamined))
    }

    /// Says which processors whatever is started next may use, where that is to be said.
    fn assign(&self, processors: fn(&Processors) -> Result<(), String>) -> Result<(), Error> {
        self.processors.as_ref().map_or(Ok(()), processors).map_err(Error::because)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example;

    #[test]
    fn what_was_waited_for_is_told_without_its_secrets() {
        let secrets = Secrets::hidden();
        secrets.note("hunter-22");
        let error = Error::interrupted("interrupted before hunter-22 came");
        let ended = Compared::ended(example::comparison(2, 1.0), Some(error), None, &secrets);
        let notes = ended.map(|compared| compared.result.notes).unwrap_or_default();
        assert_eq!(notes.last().map(String::as_str), Some("interrupted before [hidden] came"));
    }

    #[test]
    fn files_of_the_same_name_are_told_apart_by_their_paths() {
        let names = |old, new| names([Path::new(old), Path::new(new)]);
        assert_eq!(names("a/old.json", "b/new.json"), ["old", "new"]);
        assert_eq!(names("old/r.json", "new/r.json"), ["old/r.json", "new/r.json"]);
    }
}
