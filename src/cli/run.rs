//! `sockrates run`: plays scenarios against a server, judges and reports.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;

use super::display::Display;
use super::formats::{FormatArgs, tell, write};
use super::overrides::OverrideArgs;
use super::play::PlayArgs;
use super::secrets::clean_each;
use super::server::ServerArgs;
use super::watching::WatchArgs;
use super::{complain, github, look_of_stdout, share, warn};
use crate::measure::format::printable;
use crate::report::github::annotations;
use crate::report::{Detail, RunResult, how_many_passed, json, markdown, of_runs, text_of_run};
use crate::runner::{Error, Event, Forms, RunConfig, ScenarioRun, When, select, stop_on_signals};
use crate::scenario::{Overrides, predictions};
use crate::verdict::Status;

/// Plays scenarios against a server: a verdict, and how long everything took
#[derive(Debug, Args)]
#[command(before_help = help!("run"))]
pub(super) struct RunArgs {
    /// Files, folders, or names of bundled scenarios
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    #[command(flatten)]
    play: PlayArgs,
    /// Sample the processor and memory of this process on this machine, where the server is named with --url
    #[arg(long, value_name = "PROCESS", requires = "url", conflicts_with = "server")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
    /// Write the results to this file, from which `sockrates report` makes every other form
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Leave the thresholds out: only the checks, the audit and what may not go wrong decide
    #[arg(long, conflicts_with = "threshold")]
    checks_only: bool,
    /// Fail where the audit could judge a smaller share than this of the deliveries that may be owed: `90%`
    #[arg(long, value_name = "SHARE", value_parser = share)]
    strict_audit: Option<f64>,
    /// What to call this run where `sockrates trend` shows many [default: the commit that a CI system names]
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Only print a line for each scenario, and what failed
    #[arg(long, short)]
    quiet: bool,
    /// Show each step that held, each counter, and the last frames of the clients that failed
    #[arg(long, short, conflicts_with = "quiet")]
    verbose: bool,
    #[command(flatten)]
    watch: WatchArgs,
    #[command(flatten)]
    formats: FormatArgs,
    #[command(flatten)]
    load: OverrideArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Plays every scenario in turn.
pub(super) fn run(args: &RunArgs) -> Result<Status, Error> {
    // Before anything is played: who asks for what cannot be should not have to wait for it.
    let given = args.server.given();
    args.forms(&[]).check()?;
    let overrides = Overrides { checks_only: args.checks_only, ..args.load.overrides()? };
    let selected = select(&args.scenarios, &overrides)?;
    for prediction in selected.iter().flat_map(|one| predictions(&one.scenario)).filter(|_| !args.quiet) {
        complain(&printable(&format!("note: {prediction}")));
    }
    let (server, config) = (
        given.one()?,
        RunConfig {
            process: args.pid,
            strict_audit: args.strict_audit,
            label: args.label.clone(),
            ..args.play.config()?
        },
    );
    args.forms(&[]).prepare()?;
    warn(&selected);
    let stop = stop_on_signals()?;
    let watchers = args.watch.begin(&stop)?;
    let mut display = Display::new(args.quiet);
    let mut results = Vec::new();
    for (index, one) in selected.iter().enumerate() {
        let run = ScenarioRun { config: &config, server: &server, selected: one, stop: &stop };
        let mut listener = |event: Event<'_>| {
            if let Event::RunSoFar(so_far) = &event
                && (args.json.is_some() || watchers.want_results())
                && let Ok(so_far) = clean_each(so_far())
            {
                watchers.show(&results, &so_far);
                if args.json.is_some() {
                    keep(args, &results, so_far);
                }
            }
            display.show(&event);
            Ok(())
        };
        let played = run.start().and_then(|running| {
            running.notes().iter().for_each(|note| complain(&format!("note: {note}")));
            Ok((run.run(&running, &mut listener)?, running))
        });
        let (result, running) = match played {
            Ok(played) => played,
            Err(mut error) => {
                results.extend(error.result.take().and_then(|result| clean_each(*result).ok()));
                if !results.is_empty() {
                    finish(args, &results)?;
                }
                return Err(error);
            }
        };
        let result = clean_each(result)?;
        let is_last = index + 1 == selected.len() || stop.load(Ordering::Relaxed);
        let detail = Detail::of(args.quiet, args.verbose);
        tell(&args.forms(&[]), text_of_run(&result, look_of_stdout(), detail).trim_end_matches('\n'));
        watchers.show_end(&results, &result, is_last);
        results.push(result);
        // What fails here is tried again at the end, and reported then.
        let _ = write(&args.forms(&results), When::SoFar);
        // Last, because a server may take its time, and whoever does not want to wait for it keeps the report.
        running.stop();
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let statuses: Vec<Status> = results.iter().map(|result| result.verdict.status).collect();
    if results.len() > 1 {
        tell(&args.forms(&[]), &how_many_passed(&results));
    }
    finish(args, &results)?;
    // Who stops us between two scenarios has not seen the second.
    let is_whole = results.len() == selected.len();
    Ok(if is_whole { Status::gravest(&statuses) } else { Status::Interrupted })
}

impl RunArgs {
    fn forms<'a>(&'a self, results: &'a [RunResult]) -> Forms<'a> {
        self.formats.of_runs(self.json.as_deref(), results)
    }
}

/// Puts what is known so far into the result file. If that fails, it will fail at the end, and be told then.
fn keep(args: &RunArgs, results: &[RunResult], so_far: RunResult) {
    let all: Vec<RunResult> = results.iter().cloned().chain([so_far]).collect();
    let forms = Forms::default().with(args.json.as_deref(), "results", || json::to_json(&all));
    let _ = write(&forms, When::SoFar);
}

/// Writes what waits for the end.
fn finish(args: &RunArgs, results: &[RunResult]) -> Result<(), Error> {
    github::annotate(|| results.iter().flat_map(annotations).collect());
    github::summarise(|| markdown(&of_runs(results)));
    write(&args.forms(results), When::AtTheEnd)
}
