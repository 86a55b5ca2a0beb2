//! `sockrates conform`: plays the conformance suite against servers and gives a verdict for each case.

mod examine;
mod host;
mod look;
mod play;
mod pulse;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::formats::{DocumentArgs, SuiteForms, When};
use super::play::{self as playing, Stopped};
use super::progress::Mode;
use super::server::ServerArgs;
use super::{complain, duration, github, interrupt, look_of_stdout, put, say};
use crate::conformance::baseline::Baseline;
use crate::conformance::github::annotations;
use crate::conformance::result::SuiteResult;
use crate::conformance::select::{Choice, select};
use crate::conformance::{self, Case, Variant};
use crate::document::{Source, render};
use crate::measure::format;
use crate::report::{Detail, markdown, terminal};
use crate::verdict::Status;
use examine::JOBS;

pub(super) use examine::{Examination, Manner};

const EXAMPLES: &str = "\
Examples:
  sockrates conform                                      the reference server
  sockrates conform --url http://localhost:3000          a server that runs
  sockrates conform --server 'node server.js'            starts the server at $PORT, tests it, stops it
  sockrates conform --only 'upgrade/*,clause:EIO-HS-*'   some of the cases
  sockrates conform --baseline known.yaml --junit r.xml  in CI: only what is new fails
  sockrates conform --server node='node server.js' --url rust=http://localhost:3000
                                                         two servers beside each other
  sockrates conform --fault ack-twice                    the reference server, broken on purpose";

/// Plays the conformance suite: a verdict for each rule of the protocol
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ConformArgs {
    /// Play only these: globs over ids, level:must, needs:recovery, clause:EIO-HS-*, transport:polling
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these out: the same words
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Play the cases in this folder instead of the bundled ones
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Let warnings fail the suite
    #[arg(long)]
    strict: bool,
    /// Skip cases that take longer than this with the server's timings
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    patience: Duration,
    /// How many cases are played at a time, those that mostly wait not counted
    #[arg(long, value_name = "NUMBER", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// The seed of all chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Fail only on what this file does not list, and on what it lists and passes by now
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write such a file, with all that does not pass
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
    documents: DocumentArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Plays the suite against each server in turn.
pub fn conform(args: &ConformArgs) -> ExitCode {
    playing::exit(play_all(args))
}

fn play_all(args: &ConformArgs) -> Result<u8, Stopped> {
    let unread = examine::unread(args.cases.as_deref()).map_err(Stopped::wrong)?;
    // Before anything is started: who chooses wrongly should not have to wait.
    let cases = examine::read(&unread, Clone::clone)?;
    let chosen = choose(args, &cases)?;
    let mode = if args.quiet { Mode::Hidden } else { Mode::Auto };
    let manner = Manner { patience: args.patience, jobs: args.jobs, seed: args.seed, mode };
    let examination = Examination::new(args.cases.as_deref(), unread, &chosen, manner);
    let known = Known::read(args, &cases)?;
    args.forms().takes_stdout().map_err(Stopped::error)?;
    let servers = args.server.check_each().map_err(Stopped::error)?;
    if servers.len() > 1 && (args.baseline.is_some() || args.write_baseline.is_some()) {
        return Err(Stopped::error("a baseline is about one server: give one, or leave the baseline out"));
    }
    let stop =
        interrupt::watch().map_err(|error| Stopped::error(format!("failed to watch for Ctrl-C: {error}")))?;
    let mut suites: Vec<SuiteResult> = Vec::new();
    let mut statuses = Vec::new();
    for named in &servers {
        if servers.len() > 1 {
            args.tell(&format!(
                "{}{}:\n",
                if statuses.is_empty() { "" } else { "\n" },
                format::printable(&named.name)
            ));
        }
        let mut suite = match examination.examine(named, &stop) {
            Ok(suite) => suite,
            // The others are there all the same.
            Err(why) if why.code == Status::Unreachable.exit_code() && servers.len() > 1 => {
                complain(why.words.trim_end());
                statuses.push(Status::Unreachable);
                continue;
            }
            Err(why) => return Err(why),
        };
        known.compare(args, &mut suite)?;
        let status = status(args, &suite, stop.load(Ordering::Relaxed));
        suite.exit_code = status.exit_code();
        statuses.push(status);
        suites.push(suite);
        let report = conformance::report(&suites[suites.len() - 1..], args.strict);
        args.tell(terminal(&report, look_of_stdout(), detail(args)).trim_end());
        args.forms().write(&suites, When::SoFar).map_err(Stopped::error)?;
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if suites.len() > 1 {
        args.tell(&format!(
            "\n{}",
            terminal(&conformance::matrix(&suites), look_of_stdout(), detail(args)).trim_end()
        ));
    }
    args.forms().write(&suites, When::AtTheEnd).map_err(Stopped::error)?;
    github::annotate(|| annotations(&suites, args.strict));
    github::summarise(|| markdown(&conformance::report(&suites, args.strict)));
    Ok(Status::gravest(&statuses).exit_code())
}

fn detail(args: &ConformArgs) -> Detail {
    match (args.quiet, args.verbose) {
        (true, _) => Detail::Little,
        (_, true) => Detail::Everything,
        _ => Detail::Usual,
    }
}

impl ConformArgs {
    /// The forms of the results, and where they go.
    fn forms(&self) -> SuiteForms<'_> {
        SuiteForms { json: self.json.as_deref(), documents: &self.documents, strict: self.strict }
    }

    /// Prints for people: on standard error where standard output is taken by a form of the results.
    fn tell(&self, text: &str) {
        match self.forms().takes_stdout() {
            Ok(false) => say(text),
            _ => complain(text),
        }
    }
}

/// The baselines that the command line names.
#[derive(Default)]
struct Known {
    baseline: Option<Baseline>,
    /// What stands in the file that is going to be written.
    before: Option<Baseline>,
}

impl Known {
    fn read(args: &ConformArgs, cases: &[Case]) -> Result<Known, Stopped> {
        let read = |file: &PathBuf| {
            let source = Source::read(file)
                .map_err(|mistake| Stopped::wrong(render(&mistake, &Source::named(file))))?;
            Baseline::read(&source, cases).map_err(|mistake| Stopped::wrong(render(&mistake, &source)))
        };
        Ok(Known {
            baseline: args.baseline.as_ref().map(read).transpose()?,
            before: args.write_baseline.as_ref().filter(|file| file.exists()).map(read).transpose()?,
        })
    }

    /// Compares with what is known, or with what is known from now on.
    fn compare(&self, args: &ConformArgs, suite: &mut SuiteResult) -> Result<(), Stopped> {
        let name = |file: &Path| file.display().to_string();
        let before = self.baseline.as_ref().or(self.before.as_ref());
        if let Some(file) = &args.write_baseline {
            let written = Baseline::of(&suite.name, before, &suite.cases);
            put(file, "baseline", &written.text()).map_err(Stopped::error)?;
            suite.baseline = Some(written.compare(name(file), &suite.cases));
        } else if let (Some(baseline), Some(file)) = (&self.baseline, &args.baseline) {
            suite.baseline = Some(baseline.compare(name(file), &suite.cases));
        }
        Ok(())
    }
}

/// What the command line chooses.
fn choose<'c>(args: &ConformArgs, cases: &'c [Case]) -> Result<Vec<Variant<'c>>, Stopped> {
    let read = |words: &[String]| -> Result<Vec<Choice>, Stopped> {
        words.iter().map(|word| Choice::read(word).map_err(Stopped::error)).collect()
    };
    select(cases, &read(&args.only)?, &read(&args.exclude)?).map_err(|wrong| {
        Stopped::wrong(wrong.iter().map(|why| format!("error: {why}")).collect::<Vec<_>>().join("\n"))
    })
}

fn status(args: &ConformArgs, suite: &SuiteResult, interrupted: bool) -> Status {
    let counts = suite.cases.iter().any(|case| suite.counts_against(case, args.strict));
    let is_stale = suite.baseline.as_ref().is_some_and(|baseline| !baseline.gone.is_empty());
    match () {
        () if interrupted => Status::Interrupted,
        () if suite.summary.blocked > 0 => Status::Unreachable,
        () if counts || is_stale || !suite.findings.is_empty() || suite.summary.judged() == 0 => {
            Status::Failed
        }
        () => Status::Passed,
    }
}
