//! `sockrates conform`: plays the conformance suite against servers and gives a verdict for each case.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::display::Display;
use super::formats::{DocumentArgs, tell, write};
use super::issue::{IssueArgs, write_issue};
use super::server::ServerArgs;
use super::servers::{ManyArgs, conform_all};
use super::{duration, look_of_stdout, tell_github};
use crate::conformance::github::annotations;
use crate::conformance::{self, Versions};
use crate::measure::format::printable;
use crate::report::{Detail, markdown, terminal};
use crate::runner::{Error, Event, JOBS, Paths, SuiteConfig, Suites, SuitesConfig, When, stop_on_signals};
use crate::verdict::Status;

/// Plays the conformance suite: a verdict for each rule of the protocol
#[derive(Debug, Args)]
#[command(before_help = help!("conform"))]
pub(super) struct ConformArgs {
    /// Play only these: globs over ids, level:must, needs:recovery, clause:EIO-HS-*, transport:polling
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these out: the same words
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Play the cases in this folder instead of the bundled ones
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Play the cases about rooms and broadcasts with the events of this application: a contract, or a scenario with one
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// Let warnings fail the suite
    #[arg(long)]
    strict: bool,
    /// Skip cases that take longer than this with the server's timings
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    patience: Duration,
    /// How many cases run at the same time, not counting those that mostly wait
    #[arg(long, value_name = "NUMBER", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// The seed of all random numbers
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// The versions of the server and of its engine, where no lock file tells them: `engine.io 6.6.13`
    #[arg(long, value_name = "NAME VERSION", value_delimiter = ',', value_parser = Versions::read_one)]
    server_version: Vec<(String, String)>,
    /// Fail only on results that this file does not list, and on listed ones that pass now; a name means a bundled file
    #[arg(long, value_name = "FILE|NAME")]
    baseline: Option<PathBuf>,
    /// Write a baseline file with every result that does not pass
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Write the results to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only print what failed, and the summary
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print a line for every case
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    many: ManyArgs,
    #[command(flatten)]
    issue: IssueArgs,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Plays the suite against each server in turn.
pub(super) fn conform(args: &ConformArgs) -> Result<Status, Error> {
    let config = args.config();
    if let Some(case) = &args.issue.issue {
        return write_issue(&args.issue, case, config, args.quiet);
    }
    let (look, detail) = (look_of_stdout(), Detail::of(args.quiet, args.verbose));
    if let Some(folder) = &args.many.servers {
        return conform_all(&args.many, folder, config, args.json.as_deref(), args.quiet, detail);
    }
    // Before anything is started: who chooses wrongly should not have to wait.
    let suites = Suites::read(config)?;
    let paths = Paths { json: args.json.clone(), ..args.documents.paths() };
    let baseline = args.write_baseline.as_deref();
    let forms = paths.of_suites(&[], args.strict).with(baseline, "baseline", String::new);
    forms.check()?;
    forms.prepare()?;
    let stop = stop_on_signals()?;
    let mut display = Display::new(args.quiet);
    let played = suites.run(&stop, &mut |event| {
        match &event {
            Event::ServerBegins { server, is_first } => {
                tell(&forms, &format!("{}{}:\n", if *is_first { "" } else { "\n" }, printable(server)));
            }
            Event::ServerEnded(results) => {
                let report = conformance::report(&results[results.len() - 1..], args.strict);
                tell(&forms, terminal(&report, look, detail).trim_end());
                // What fails here is tried again at the end, and reported then.
                let _ = write(&paths.of_suites(results, args.strict), When::SoFar);
            }
            _ => {}
        }
        display.show(&event);
        Ok(())
    })?;
    let results = &played.results;
    if results.len() > 1 {
        tell(&forms, &format!("\n{}", terminal(&conformance::matrix(results), look, detail).trim_end()));
    }
    let baseline = baseline.filter(|_| played.baseline.is_some());
    let text = || played.baseline.clone().unwrap_or_default();
    write(&paths.of_suites(results, args.strict).with(baseline, "baseline", text), When::AtTheEnd)?;
    let report = || markdown(&conformance::report(results, args.strict));
    tell_github(|| annotations(results, args.strict), report);
    Ok(played.status())
}

impl ConformArgs {
    fn config(&self) -> SuitesConfig {
        SuitesConfig {
            given: self.server.given(),
            suite: SuiteConfig {
                folder: self.cases.clone(),
                patience: self.patience,
                jobs: self.jobs,
                seed: self.seed,
                ..SuiteConfig::default()
            },
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            contract: self.contract.clone(),
            versions: self.server_version.clone(),
            baseline: self.baseline.clone(),
            write_baseline: self.write_baseline.clone(),
            is_strict: self.strict,
        }
    }
}
