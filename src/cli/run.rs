//! `sockrates run`: plays scenarios against a server, judges and reports.

use std::path::PathBuf;

use clap::Args;

use super::common::WatchArgs;
use super::display::Display;
use super::formats::{FormatArgs, tell, write};
use super::overrides::OverrideArgs;
use super::play::PlayArgs;
use super::server::ServerArgs;
use super::{complain, look_of_stdout, tell_github, warn};
use crate::measure::format::printable;
use crate::report::github::annotations;
use crate::report::{Detail, how_many_passed, markdown, of_runs, text_of_run};
use crate::runner::{Error, Event, Paths, RunConfig, ScenarioRuns, When, select, stop_on_signals};
use crate::scenario::{Overrides, predictions};
use crate::units::{Share, share_from};
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
    #[arg(long, value_name = "SHARE", value_parser = share_from)]
    strict_audit: Option<Share>,
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
    let paths = Paths { json: args.json.clone(), ..args.formats.paths() };
    paths.of_nothing().check()?;
    let overrides = Overrides { checks_only: args.checks_only, ..args.load.overrides()? };
    let selected = select(&args.scenarios, &overrides)?;
    for prediction in selected.iter().flat_map(|one| predictions(&one.scenario)).filter(|_| !args.quiet) {
        complain(&printable(&format!("note: {prediction}")));
    }
    let (server, config) = (&given.one()?, &args.config()?);
    paths.of_nothing().prepare()?;
    warn(&selected);
    let stop = &stop_on_signals()?;
    let mut display = Display::new(args.quiet);
    let (look, detail) = (look_of_stdout(), Detail::of(args.quiet, args.verbose));
    let all = ScenarioRuns { config, server, selected: &selected, stop };
    let runs = all.run(args.watch.config(), &mut |event| {
        match &event {
            Event::RunsSoFar(so_far) if args.json.is_some() => {
                // What fails here is tried again at the end, and reported then.
                let _ = so_far().map(|results| write(&paths.json_of_runs(&results), When::SoFar));
            }
            Event::ScenarioEnded(results @ [.., result]) => {
                tell(&paths.of_nothing(), text_of_run(result, look, detail).trim_end_matches('\n'));
                let _ = write(&paths.of_runs(results), When::SoFar);
            }
            _ => {}
        }
        display.show(&event)
    })?;
    let results = &runs.results;
    if results.len() > 1 && runs.ended_by.is_none() {
        tell(&paths.of_nothing(), &how_many_passed(results));
    }
    if !results.is_empty() {
        tell_github(|| results.iter().flat_map(annotations).collect(), || markdown(&of_runs(results)));
        write(&paths.of_runs(results), When::AtTheEnd)?;
    }
    runs.status()
}

impl RunArgs {
    fn config(&self) -> Result<RunConfig, Error> {
        let (process, strict_audit, label) =
            (self.pid, self.strict_audit.map(|share| share.0), self.label.clone());
        Ok(RunConfig { process, strict_audit, label, ..self.play.config()? })
    }
}
