//! `sockrates conform`: plays the conformance suite against servers and gives a verdict for each case.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::display::Display;
use super::formats::{DocumentArgs, tell, write};
use super::server::ServerArgs;
use super::{complain, look_of_stdout, print, tell_github};
use crate::conformance::github::annotations;
use crate::conformance::{self, Versions};
use crate::matrix::{ServersResult, unconfirmed};
use crate::measure::format::printable;
use crate::report::{Detail, markdown, terminal};
use crate::runner::{
    Error, Event, Found, JOBS, Paths, Servers, ServersConfig, Single, SuiteConfig, Suites, SuitesConfig,
    When, servers_status, stop_on_signals, write_site,
};
use crate::units::duration_from;
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
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_from)]
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

/// Many servers at once
#[derive(Debug, Args)]
#[command(next_help_heading = "Many servers")]
struct ManyArgs {
    /// Play all servers that this folder describes: a folder each, with a `server.yaml`
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["url", "server", "fault", "nodes", "baseline", "write_baseline", "contract"])]
    servers: Option<PathBuf>,
    /// Of --servers: play those with these names
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "servers")]
    server_name: Vec<String>,
    /// Of --servers: write the site about all of them into this folder
    #[arg(long, value_name = "FOLDER", requires = "servers")]
    out: Option<PathBuf>,
    /// Of --servers: play so many at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "servers", value_parser = clap::value_parser!(u16).range(1..=64))]
    at_a_time: u16,
    /// Of --servers: the longest that is spent on one of them
    #[arg(long, value_name = "TIME", default_value = "15m", requires = "servers", value_parser = duration_from)]
    server_limit: Duration,
    /// Of --servers: they are installed already
    #[arg(long, requires = "servers")]
    installed: bool,
    /// Of --servers: play the suite alone, without scenarios and load
    #[arg(long, requires = "servers")]
    suite_only: bool,
}

/// A bug report
#[derive(Debug, Args)]
#[command(next_help_heading = "A bug report")]
struct IssueArgs {
    /// Play this case, and print a bug report about what it finds, as Markdown for the maintainers of the server
    #[arg(long, value_name = "CASE", conflicts_with_all = ["only", "exclude", "servers", "baseline", "write_baseline"])]
    issue: Option<String>,
    /// Of --issue: take what it finds from this file of `conform --json`, and play nothing
    #[arg(long, value_name = "FILE", requires = "issue", conflicts_with_all = ["url", "server", "fault"])]
    result: Option<PathBuf>,
}

/// Plays the suite against each server in turn.
pub(super) fn conform(args: &ConformArgs) -> Result<Status, Error> {
    let config = args.config();
    if let Some(case) = &args.issue.issue {
        return write_issue(args, case, &config);
    }
    let (look, detail) = (look_of_stdout(), Detail::of(args.quiet, args.verbose));
    if let Some(folder) = &args.many.servers {
        return conform_all(args, folder, config);
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
        display.show(&event)
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

/// Plays all servers that a folder describes, and writes what there is after each.
fn conform_all(args: &ConformArgs, folder: &Path, suites: SuitesConfig) -> Result<Status, Error> {
    let ConformArgs { many, strict, quiet, .. } = args;
    let servers = Servers::read(ServersConfig {
        folder: folder.to_owned(),
        names: many.server_name.clone(),
        suites,
        at_a_time: many.at_a_time,
        limit: many.server_limit,
        is_installed: many.installed,
        is_suite_only: many.suite_only,
    })?;
    let paths = Paths { json: args.json.clone(), ..Paths::default() };
    paths.of_nothing().prepare()?;
    let stop = stop_on_signals()?;
    let mut display = Display::new(*quiet);
    let keep = |result: &ServersResult, when| {
        write(&paths.of_single(result), when)?;
        many.out.as_deref().map_or(Ok(()), |folder| write_site(folder, result))
    };
    let result = servers.play(&stop, &mut |event| {
        if let Event::ServersSoFar(so_far) = &event {
            // What fails here is tried again at the end, and reported then.
            let _ = so_far().and_then(|result| keep(&result, When::SoFar));
        }
        display.show(&event)
    })?;
    tell(
        &paths.of_nothing(),
        terminal(&result.report(), look_of_stdout(), Detail::of(*quiet, args.verbose)).trim_end(),
    );
    keep(&result, When::AtTheEnd)?;
    for (server, clause) in unconfirmed(&result, *strict) {
        complain(&format!("{server} deviates from {clause}, which no raw client has confirmed"));
    }
    Ok(servers_status(&result, *strict, stop.load(Ordering::Relaxed)))
}

/// Prints bug reports about a case, one for each server that deviates in it.
fn write_issue(args: &ConformArgs, case: &str, config: &SuitesConfig) -> Result<Status, Error> {
    let mut display = Display::new(args.quiet);
    let stored = args.issue.result.as_deref();
    let found = Found::find(case, stored, config, stop_on_signals, &mut |event| display.show(&event))?;
    print(&found.issues(case)?.join("\n---\n\n"))?;
    Ok(Status::Failed)
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
