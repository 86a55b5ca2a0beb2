//! `sockrates compare`: servers side by side, or results of two days.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;

use super::conform::{Examination, Manner};
use super::output::{OutputArgs, RESULTS};
use super::overrides::OverrideArgs;
use super::pin::Processors;
use super::play::{self, PlayArgs, Playing, Stopped};
use super::select::{self, Selected};
use super::server::{Named, ServerArgs};
use super::{complain, interrupt};
use crate::compare::{
    self, Block, ComparisonResult, Conformance, Contest, Demand, Question, conclude, order,
    result::ServerEntry, stored,
};
use crate::report::RunResult;
use crate::units;
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates compare chat --server node='node server.js' --server bun='bun server.js'
  sockrates compare my.yaml --server old='./old' --server new='./new' --fail-on 'delivery p99 worse by 10 %'
  sockrates compare my.yaml --server old='./old' --server new='./new' --conformance
                                                            and which rules of the protocol each of them breaks
  sockrates compare my.yaml --server 'node server.js'       a server beside itself: the noise of this machine
  sockrates compare old.json new.json                       what run --json or compare --json has written";

/// What `--max-time` means here.
const MAX_TIME: &str = "Begin no block that would not be finished within this time";

/// Compares servers in turn: better, worse, or no difference that can be shown
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, mut_arg("max_time", |arg| arg.help(MAX_TIME)))]
pub struct CompareArgs {
    /// A scenario: a file or the name of a bundled one. Or two result files
    #[arg(required = true, num_args = 1..=2, value_name = "SCENARIO")]
    what: Vec<String>,
    /// How many blocks are played; in each, every server is played once, and the first one twice
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    blocks: u16,
    /// The difference for which the missing blocks are reckoned
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    effect: f64,
    /// End with 1 if a figure is worse by so much: 'delivery p99 worse by 10 %' (repeatable)
    #[arg(long, value_name = "DEMAND", value_parser = Demand::parse)]
    fail_on: Vec<Demand>,
    /// Give the server one processor and the clients the others
    #[arg(long)]
    pin: bool,
    /// Afterwards play the conformance suite once against each server: rudely, and it takes its time
    #[arg(long)]
    conformance: bool,
    #[command(flatten)]
    output: OutputArgs,
    /// Write a summary to this file, as Markdown for a pull request
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    play: PlayArgs,
    #[command(flatten)]
    load: OverrideArgs,
    #[command(flatten)]
    server: ServerArgs,
}

fn share(text: &str) -> Result<f64, String> {
    match units::share_from(text) {
        Ok(share) if share.0 > 0.0 => Ok(share.0),
        Ok(_) => Err("a difference of nothing cannot be shown".to_owned()),
        Err(mistake) => Err(mistake.to_string()),
    }
}

/// How often a server beside itself may seem to differ in any figure.
const LEVEL: f64 = 0.05;

/// Compares.
pub fn compare(args: &CompareArgs) -> ExitCode {
    let code = args.output.check(args.markdown.as_deref()).and_then(|()| match &args.what[..] {
        [old, new] => compare_stored(args, Path::new(old), Path::new(new)),
        _ => compare_servers(args),
    });
    play::exit(code)
}

// --- servers --------------------------------------------------------------------------------------------------

fn compare_servers(args: &CompareArgs) -> Result<u8, Stopped> {
    let overrides = args.load.overrides().map_err(Stopped::error)?;
    let mut selected =
        select::select(&args.what, &overrides).map_err(|wrong| Stopped::wrong(wrong.join("\n\n")))?;
    let selected = match (selected.pop(), selected.len()) {
        (Some(one), 0) => one,
        (_, more) => {
            return Err(Stopped::error(format!(
                "{} scenarios were named: one is compared at a time",
                more + 1
            )));
        }
    };
    let servers = args.server.check_each().map_err(Stopped::error)?;
    let processors = if args.pin { Some(Processors::divide().map_err(Stopped::error)?) } else { None };
    let stop =
        interrupt::watch().map_err(|error| Stopped::error(format!("failed to watch for Ctrl-C: {error}")))?;
    let examination = match args.conformance {
        true => Some(Examination::bundled(Manner::usual(args.play.seed, args.output.mode()))?),
        false => None,
    };
    let arena = Arena { args, selected: &selected, servers: &servers, processors, stop };
    let (blocks, stopped) = arena.play_all()?;
    let (conformance, unexamined) = match (&examination, &stopped) {
        (Some(examination), None) => arena.examine_all(examination, &blocks)?,
        _ => (Vec::new(), None),
    };
    let Some(result) = arena.conclude(&blocks, &conformance) else {
        return Err(stopped.unwrap_or_else(|| Stopped {
            code: interrupt::EXIT_CODE,
            ..Stopped::wrong("interrupted before the first block was finished")
        }));
    };
    args.output.finish(&result.to_json(), &compare::report(&result), args.markdown.as_deref())?;
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    if arena.stop.load(Ordering::Relaxed) {
        return Ok(interrupt::EXIT_CODE);
    }
    let rows = result.comparisons.iter().map(|one| (one.server.as_str(), &one.rows[..]));
    if result.comparisons.iter().all(|comparison| comparison.rows.is_empty()) {
        return Ok(Status::Invalid.exit_code());
    }
    let code = judge_demands(&args.fail_on, rows);
    unexamined.map_or(Ok(code), Err)
}

/// Where servers are compared.
struct Arena<'a> {
    args: &'a CompareArgs,
    selected: &'a Selected,
    servers: &'a [Named<'a>],
    processors: Option<Processors>,
    stop: Arc<AtomicBool>,
}

impl Arena<'_> {
    /// Plays block after block. What was finished, and why it ended early if not on the user's wish.
    fn play_all(&self) -> Result<(Vec<Block>, Option<Stopped>), Stopped> {
        let began = Instant::now();
        let contestants = self.servers.len() + 1;
        let mut blocks = Vec::new();
        for order in order(contestants, usize::from(self.args.blocks), self.args.play.seed) {
            let played = blocks.len() as u32;
            let a_block = began.elapsed().checked_div(played).unwrap_or_default();
            if played > 0 && self.args.play.max_time.is_some_and(|most| began.elapsed() + a_block > most) {
                break;
            }
            match self.play_block(&order, blocks.len()) {
                Ok(Some(runs)) => blocks.push(Block { order, runs }),
                Ok(None) => break,
                Err(stopped) if blocks.is_empty() => return Err(stopped),
                Err(stopped) => return Ok((blocks, Some(stopped))),
            }
            self.keep(&blocks, &[])?;
        }
        Ok((blocks, None))
    }

    /// Writes what is known so far.
    fn keep(&self, blocks: &[Block], conformance: &[Conformance]) -> Result<(), Stopped> {
        self.args.output.keep(|| Some(self.conclude(blocks, conformance)?.to_json()))
    }

    /// Plays the conformance suite against each server, and says why it could not be played against one. The figures are
    /// there all the same.
    fn examine_all(
        &self,
        examination: &Examination<'_>,
        blocks: &[Block],
    ) -> Result<(Vec<Conformance>, Option<Stopped>), Stopped> {
        let (mut all, mut unexamined) = (Vec::new(), None);
        // Clients and server are not told apart here: a case may need either.
        self.processors.as_ref().map_or(Ok(()), Processors::for_everybody).map_err(Stopped::error)?;
        for named in self.servers {
            let name = &named.name;
            if self.stop.load(Ordering::Relaxed) {
                all.push(Conformance::missing(name, "interrupted before its first case".to_owned()));
                continue;
            }
            self.args.output.show(&format!("conformance of {name}"));
            match examination.examine(named, &self.stop) {
                Ok(suite) => {
                    let is_interrupted = self.stop.load(Ordering::Relaxed);
                    all.push(Conformance::of(&suite, examination.size(), is_interrupted));
                }
                Err(stopped) => {
                    all.push(Conformance::missing(name, stopped.line()));
                    unexamined = unexamined.or(Some(stopped));
                }
            }
            self.keep(blocks, &all)?;
        }
        Ok((all, unexamined))
    }

    /// Plays every contestant once. None if the user has had enough.
    fn play_block(&self, order: &[usize], number: usize) -> Result<Option<Vec<RunResult>>, Stopped> {
        let mut runs: Vec<Option<RunResult>> = order.iter().map(|_| None).collect();
        for (place, contestant) in order.iter().enumerate() {
            let (block, blocks, name) = (number + 1, self.args.blocks, &self.server_of(*contestant).name);
            let place = format!("{} of {}", place + 1, order.len());
            self.args.output.show(&format!("block {block} of {blocks}, {place}: {name}"));
            runs[*contestant] = Some(self.play(*contestant)?);
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        Ok(Some(runs.into_iter().flatten().collect()))
    }

    fn play(&self, contestant: usize) -> Result<RunResult, Stopped> {
        let playing = Playing {
            args: &PlayArgs { max_time: None, ..self.args.play.clone() },
            server: &self.server_of(contestant).server,
            selected: self.selected,
            mode: self.args.output.mode(),
            stop: &self.stop,
            keep: None,
        };
        self.processors.as_ref().map_or(Ok(()), Processors::for_server).map_err(Stopped::error)?;
        let running = playing.start()?;
        self.processors.as_ref().map_or(Ok(()), Processors::for_clients).map_err(Stopped::error)?;
        let result = playing.play(&running);
        running.stop();
        result
    }

    /// Contestant 1 is the first server again.
    fn server_of(&self, contestant: usize) -> &Named<'_> {
        &self.servers[contestant.saturating_sub(1)]
    }

    fn conclude(&self, blocks: &[Block], conformance: &[Conformance]) -> Option<ComparisonResult> {
        let first = blocks.first()?.runs.first()?;
        let mut notes = Vec::new();
        let servers = self.servers.iter().enumerate().map(|(index, server)| {
            let target = server.server.missing();
            let what = target.command.unwrap_or(target.url);
            // Contestant 1 is the first server again.
            let contestant = if index == 0 { 0 } else { index + 1 };
            let run = blocks.first().and_then(|block| block.runs.get(contestant));
            let software = run.and_then(|run| run.target.software.clone());
            ServerEntry { name: server.name.clone(), what, software }
        });
        if self
            .servers
            .iter()
            .any(|server| server.server.missing().kind == crate::report::result::TargetKind::Url)
        {
            notes.push(
                "a server that was found running is the same process in every block, and its processor and memory \
                 are not known: start it with `--server`"
                    .to_owned(),
            );
        }
        if blocks.len() < usize::from(self.args.blocks) {
            notes.push(format!("{} of {} blocks were finished", blocks.len(), self.args.blocks));
        }
        let contest = Contest {
            scenario: first.scenario.clone(),
            environment: first.environment.clone(),
            started: first.started.clone(),
            servers: servers.collect(),
            blocks_asked: usize::from(self.args.blocks),
            pinned: self.args.pin,
            question: Question { level: LEVEL, effect: self.args.effect, seed: self.args.play.seed },
            conformance: conformance.to_vec(),
            notes,
        };
        Some(conclude(contest, blocks))
    }
}

/// The exit code of what was demanded, which is told.
fn judge_demands<'r>(
    demands: &[Demand],
    rows: impl Iterator<Item = (&'r str, &'r [crate::compare::judge::Row])> + Clone,
) -> u8 {
    let mut code = Status::Passed.exit_code();
    for demand in demands {
        if !rows.clone().any(|(_, rows)| demand.is_about(rows)) {
            complain(&format!("error: `--fail-on '{demand}'`: there is no such figure in what was measured"));
            code = Status::Failed.exit_code();
        }
        for broken in rows.clone().filter_map(|(name, rows)| demand.broken_by(name, rows)) {
            complain(&format!("✗ {broken}"));
            code = Status::Failed.exit_code();
        }
    }
    code
}

// --- results of two days --------------------------------------------------------------------------------------

fn compare_stored(args: &CompareArgs, old: &Path, new: &Path) -> Result<u8, Stopped> {
    if args.conformance {
        return Err(Stopped::error("`--conformance` is for servers, and these are results: leave it out"));
    }
    let read = |file: &Path| {
        let text = fs::read_to_string(file)
            .map_err(|error| Stopped::error(format!("failed to read {}: {error}", file.display())))?;
        stored::read(&text).map_err(|why| Stopped::error(format!("failed to {why} ({})", file.display())))
    };
    let names = [old, new].map(|file| file.file_stem().unwrap_or_default().to_string_lossy().into_owned());
    // `old/r.json` and `new/r.json` are told apart by their paths.
    let names = if names[0] == names[1] { [old, new].map(|file| file.display().to_string()) } else { names };
    let result = stored::compare((&names[0], &read(old)?), (&names[1], &read(new)?), LEVEL, args.play.seed);
    if result.comparisons.is_empty() {
        return Err(Stopped::error(format!(
            "{} and {} have no scenario in common that was validly measured",
            old.display(),
            new.display()
        )));
    }
    args.output.finish(&result.to_json(), &compare::diff_report(&result), args.markdown.as_deref())?;
    let rows = result.comparisons.iter().map(|pair| (pair.name.as_str(), &pair.rows[..]));
    Ok(judge_demands(&args.fail_on, rows))
}
