//! `sockrates conform`: plays the conformance suite against servers and gives a verdict for each case.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use clap::Args;

use super::display::Display;
use super::formats::{DocumentArgs, tell, write};
use super::issue::{IssueArgs, write_issue};
use super::secrets::{clean_each, secrets};
use super::server::ServerArgs;
use super::servers::{Asked, ManyArgs, conform_all};
use super::{complain, duration, github, look_of_stdout, put};
use crate::conformance::github::annotations;
use crate::conformance::result::SuiteResult;
use crate::conformance::{self, Versions};
use crate::measure::format;
use crate::report::{Detail, markdown, terminal};
use crate::runner::{
    Baselines, Cases, Error, Forms, GivenServer, JOBS, NamedServer, Suite, SuiteConfig, When, own_contract,
    stop_on_signals,
};
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
    let given = args.server.given();
    if let Some(case) = &args.issue.issue {
        return write_issue(&args.issue, case, &given, args.asked(given.clone()).suite, args.quiet);
    }
    if let Some(folder) = &args.many.servers {
        return conform_all(&args.many, folder, args.asked(given));
    }
    // Before anything is started: who chooses wrongly should not have to wait.
    let cases = Cases::read(args.cases.as_deref())?;
    let chosen = cases.choose(&args.only, &args.exclude)?;
    let mut versions = Versions::default();
    args.server_version.iter().for_each(|(name, version)| versions.note(name, version));
    let (folder, patience) = (args.cases.clone(), args.patience);
    let contract = args.contract.as_deref().map(own_contract).transpose()?.map(Arc::new);
    let config = SuiteConfig { folder, patience, jobs: args.jobs, seed: args.seed, versions, contract };
    let suite = Suite::new(config, &cases, &chosen);
    let baselines = Baselines::read(args.baseline.as_deref(), args.write_baseline.as_deref(), &cases)?;
    let forms = args.forms(&[]).with(args.write_baseline.as_deref(), "baseline", String::new);
    forms.check()?;
    let named = given.each()?;
    let is_one = named.len() == 1;
    let servers: Vec<NamedServer> =
        NamedServer::by_node(named).into_iter().filter(|server| suite.concerns(server)).collect();
    if servers.len() > 1 && (args.baseline.is_some() || args.write_baseline.is_some()) {
        return Err(Error::because(match is_one {
            true => {
                "a baseline is about one node, or about all together: give one node, choose `--only needs:nodes`, or leave the \
                 baseline out"
            }
            false => "a baseline is about one server: give one, or leave the baseline out",
        }));
    }
    if !is_one && !args.server_version.is_empty() {
        return Err(Error::because("`--server-version` is about one server: give one, or leave it out"));
    }
    forms.prepare()?;
    let stop = stop_on_signals()?;
    let mut display = Display::new(args.quiet);
    let (look, detail) = (look_of_stdout(), Detail::of(args.quiet, args.verbose));
    let mut results: Vec<SuiteResult> = Vec::new();
    let mut statuses = Vec::new();
    for server in &servers {
        if servers.len() > 1 {
            let gap = if statuses.is_empty() { "" } else { "\n" };
            tell(&forms, &format!("{gap}{}:\n", format::printable(&secrets().redact(&server.name))));
        }
        let started = SystemTime::now();
        let played = suite.run(server, &stop, &mut |event| {
            display.show(&event);
            Ok(())
        });
        let mut is_begun = true;
        let mut result = match played {
            Ok(played) => clean_each(played.result)?,
            // What was waited for is a result, too.
            Err(error) if error.status == Some(Status::Interrupted) => {
                is_begun = false;
                clean_each(suite.not_begun(server, started, &error))?
            }
            // The others are there all the same.
            Err(error) if error.status == Some(Status::Unreachable) && servers.len() > 1 => {
                complain(error.words.trim_end());
                statuses.push(Status::Unreachable);
                continue;
            }
            Err(error) => return Err(error),
        };
        if is_begun {
            if let (Some(text), Some(file)) = (baselines.compare(&mut result), &args.write_baseline) {
                put(file, "baseline", &text)?;
            }
            if result.baseline.is_none() {
                result.like = Baselines::like(&cases, &result);
            }
        }
        let status = match stop.load(Ordering::Relaxed) {
            true => Status::Interrupted,
            false => result.status(args.strict),
        };
        result.target.notes.iter().for_each(|note| complain(&format!("note: {note}")));
        result.exit_code = status.exit_code();
        statuses.push(status);
        results.push(result);
        let report = conformance::report(&results[results.len() - 1..], args.strict);
        tell(&forms, terminal(&report, look, detail).trim_end());
        // What fails here is tried again at the end, and reported then.
        let _ = write(&args.forms(&results), When::SoFar);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if results.len() > 1 {
        tell(&forms, &format!("\n{}", terminal(&conformance::matrix(&results), look, detail).trim_end()));
    }
    write(&args.forms(&results), When::AtTheEnd)?;
    github::annotate(|| annotations(&results, args.strict));
    github::summarise(|| markdown(&conformance::report(&results, args.strict)));
    Ok(Status::gravest(&statuses))
}

impl ConformArgs {
    /// What many servers are asked.
    fn asked(&self, given: GivenServer) -> Asked<'_> {
        Asked {
            only: &self.only,
            exclude: &self.exclude,
            suite: SuiteConfig {
                folder: self.cases.clone(),
                patience: self.patience,
                jobs: self.jobs,
                seed: self.seed,
                ..SuiteConfig::default()
            },
            given,
            json: self.json.as_deref(),
            strict: self.strict,
            quiet: self.quiet,
            detail: Detail::of(self.quiet, self.verbose),
        }
    }

    fn forms<'a>(&'a self, suites: &'a [SuiteResult]) -> Forms<'a> {
        self.documents.of_suites(self.json.as_deref(), suites, self.strict)
    }
}
