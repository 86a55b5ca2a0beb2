//! `sockrates run`: plays scenarios against a server, judges and reports.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::Args;

use super::formats::{FormatArgs, When};
use super::overrides::OverrideArgs;
use super::play::{self, PlayArgs, Playing, Stopped};
use super::progress::Mode;
use super::server::ServerArgs;
use super::{complain, github, interrupt, look_of_stdout, say, select};
use crate::report::github::annotations;
use crate::report::{Detail, RunResult, markdown, of_runs, text_of_run};
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates run chat                                   a bundled scenario, against the reference server
  sockrates run my.yaml --url http://localhost:3000    your scenario, against a server that runs
  sockrates run rooms --server 'node server.js'        starts the server at $PORT, tests it, stops it
  sockrates run scenarios/ --json results.json         a whole folder, with the results as a file
  sockrates run my.yaml --junit r.xml --markdown r.md  as teams and CI read them";

/// Plays scenarios against a server: a verdict, and how long everything took
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct RunArgs {
    /// Files, folders, or names of bundled scenarios
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    #[command(flatten)]
    play: PlayArgs,
    /// Write the results to this file, from which `sockrates report` makes every other form
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only print a line for each scenario, and what failed
    #[arg(long, short)]
    quiet: bool,
    /// Tell each step that held, each counter, and the frames of those in trouble
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    #[command(flatten)]
    formats: FormatArgs,
    #[command(flatten)]
    load: OverrideArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Plays every scenario in turn.
pub fn run(args: &RunArgs) -> ExitCode {
    play::exit(play_all(args))
}

fn play_all(args: &RunArgs) -> Result<u8, Stopped> {
    // Before anything is played: who asks for what cannot be should not have to wait for it.
    args.takes_stdout()?;
    let overrides = args.load.overrides().map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    let selected =
        select::select(&args.scenarios, &overrides).map_err(|wrong| Stopped::wrong(wrong.join("\n\n")))?;
    let server = args.server.check().map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    let stop = interrupt::watch()
        .map_err(|error| Stopped::wrong(format!("error: failed to watch for Ctrl-C: {error}")))?;
    let mut results = Vec::new();
    for one in &selected {
        let keep = |result: RunResult| keep(args, &results, result);
        let playing = Playing {
            args: &args.play,
            server: &server,
            selected: one,
            mode: args.mode(),
            stop: &stop,
            keep: args.json.is_some().then_some(&keep),
        };
        let played = playing.start().and_then(|running| Ok((playing.play(&running)?, running)));
        let (result, running) = match played {
            Ok(played) => played,
            Err(mut stopped) => {
                results.extend(stopped.result.take().map(|result| *result));
                if !results.is_empty() {
                    finish(args, &results)?;
                }
                return Err(stopped);
            }
        };
        show(args, &result)?;
        results.push(result);
        write(args, &results, When::SoFar)?;
        // Last, because a server may take its time, and whoever does not want to wait for it keeps the report.
        running.stop();
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if results.len() > 1 {
        summarise(args, &results)?;
    }
    finish(args, &results)?;
    Ok(exit_code(&results))
}

/// Puts what is known so far into the result file. If that fails, it will fail at the end, and be told then.
fn keep(args: &RunArgs, results: &[RunResult], so_far: RunResult) {
    let all: Vec<RunResult> = results.iter().cloned().chain([so_far]).collect();
    let _ = FormatArgs::default().write(args.json.as_deref(), &all, When::SoFar);
}

/// The exit code of several runs: that of the gravest outcome.
fn exit_code(results: &[RunResult]) -> u8 {
    let statuses: Vec<Status> = results.iter().map(|result| result.verdict.status).collect();
    Status::gravest(&statuses).exit_code()
}

impl RunArgs {
    fn mode(&self) -> Mode {
        if self.quiet { Mode::Hidden } else { Mode::Auto }
    }

    fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Little,
            (_, true) => Detail::Everything,
            _ => Detail::Usual,
        }
    }

    fn takes_stdout(&self) -> Result<bool, Stopped> {
        self.formats.takes_stdout(self.json.as_deref()).map_err(|why| Stopped::wrong(format!("error: {why}")))
    }

    /// Prints for people: on standard error where standard output is taken by a form of the results.
    fn tell(&self, text: &str) -> Result<(), Stopped> {
        match self.takes_stdout()? {
            true => complain(text),
            false => say(text),
        }
        Ok(())
    }
}

fn show(args: &RunArgs, result: &RunResult) -> Result<(), Stopped> {
    args.tell(text_of_run(result, look_of_stdout(), args.detail()).trim_end_matches('\n'))
}

fn summarise(args: &RunArgs, results: &[RunResult]) -> Result<(), Stopped> {
    let passed = results.iter().filter(|result| result.verdict.status == Status::Passed).count();
    args.tell(&format!("{passed} of {} scenarios passed", results.len()))
}

fn write(args: &RunArgs, results: &[RunResult], when: When) -> Result<(), Stopped> {
    let written = args.formats.write(args.json.as_deref(), results, when);
    written.map_err(|why| Stopped::wrong(format!("error: {why}")))
}

/// Writes what waits for the end.
fn finish(args: &RunArgs, results: &[RunResult]) -> Result<(), Stopped> {
    github::annotate(|| results.iter().flat_map(annotations).collect());
    github::summarise(|| markdown(&of_runs(results)));
    write(args, results, When::AtTheEnd)
}
