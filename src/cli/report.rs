//! `sockrates report`: renders stored results again, of `run`, `conform`, `compare` and `capacity`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::formats::{FormatArgs, When};
use super::{WRONG, complain, look_of_stdout, put, say};
use crate::capacity::{self, CapacityResult};
use crate::compare::{self, ComparisonResult, Diff};
use crate::conformance::{self, Stored, SuiteResult};
use crate::report::{Detail, RunResult, html, markdown, of_runs, terminal};

const EXAMPLES: &str = "\
Examples:
  sockrates report results.json                        the report as text
  sockrates report results.json --html report.html     as one page of HTML
  sockrates report results.json --junit r.xml --csv -  as JUnit XML, and as a table on standard output
  sockrates report monday.json friday.json --markdown summary.md
                                                       several files as one
  sockrates report suite.json --junit r.xml            what `conform` has found, as JUnit XML";

/// Renders stored results again: as text, or in other forms
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ReportArgs {
    /// Files that `run` or `conform` have written by `--json`, or one of `compare` or `capacity`
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
    /// Of `conform`: let warnings count as failures
    #[arg(long)]
    strict: bool,
    /// Tell each step or case that held, each counter, and the frames of those in trouble
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    formats: FormatArgs,
}

impl ReportArgs {
    fn detail(&self) -> Detail {
        if self.verbose { Detail::Everything } else { Detail::Usual }
    }
}

/// Reads the files and writes what is asked for. The verdicts in them change no exit code: they are old.
pub fn report(args: &ReportArgs) -> ExitCode {
    match render(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&format!("error: {why}"));
            ExitCode::from(WRONG)
        }
    }
}

fn render(args: &ReportArgs) -> Result<(), String> {
    args.formats.takes_stdout(None)?;
    let (mut runs, mut suites) = (Vec::new(), Vec::new());
    for file in &args.results {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| {
            format!("failed to read the result {name}: {error}; `sockrates run … --json FILE` writes one")
        })?;
        if args.results.len() == 1
            && let Some(one) = One::read(&text)
        {
            return of_one(args, &one);
        }
        match Stored::read(&text).map_err(|why| format!("{name}: failed to {why}"))? {
            Stored::Runs(more) => runs.extend(more),
            Stored::Suites(more) => suites.extend(more),
        }
    }
    match (runs.is_empty(), suites.is_empty()) {
        (false, false) => {
            Err("some of the files are of `run` and some of `conform`: render them apart".to_owned())
        }
        (_, true) => all_runs(args, &runs),
        (true, false) => of_suites(args, &suites),
    }
}

/// A result that is alone in its file and rendered alone.
enum One {
    Comparison(Box<ComparisonResult>),
    Diff(Box<Diff>),
    Capacity(Box<CapacityResult>),
}

impl One {
    fn read(text: &str) -> Option<One> {
        let comparison = || Some(One::Comparison(Box::new(ComparisonResult::from_json(text)?)));
        let capacity = || Some(One::Capacity(Box::new(CapacityResult::from_json(text)?)));
        let diff = || Some(One::Diff(Box::new(Diff::from_json(text)?)));
        comparison().or_else(capacity).or_else(diff)
    }
}

fn of_one(args: &ReportArgs, one: &One) -> Result<(), String> {
    let report = match one {
        One::Comparison(result) => compare::report(result),
        One::Diff(result) => compare::diff_report(result),
        One::Capacity(result) => capacity::report(result),
    };
    let (page, summary) = args.formats.of_one()?;
    if args.formats.is_empty() {
        say(terminal(&report, look_of_stdout(), args.detail()).trim_end());
    }
    if let Some(file) = page {
        put(file, "page", &html(&report))?;
    }
    summary.map_or(Ok(()), |file| put(file, "summary", &markdown(&report)))
}

fn all_runs(args: &ReportArgs, runs: &[RunResult]) -> Result<(), String> {
    if args.formats.is_empty() {
        say(terminal(&of_runs(runs), look_of_stdout(), args.detail()).trim_end());
        return Ok(());
    }
    args.formats.write(None, runs, When::AtTheEnd)
}

fn of_suites(args: &ReportArgs, suites: &[SuiteResult]) -> Result<(), String> {
    let forms = args.formats.of_suites(args.strict)?;
    if args.formats.is_empty() {
        say(suite_pages(args, suites).trim_end());
    }
    forms.write(suites, When::AtTheEnd)
}

fn suite_pages(args: &ReportArgs, suites: &[SuiteResult]) -> String {
    let (look, detail) = (look_of_stdout(), args.detail());
    let mut pages: Vec<String> = suites
        .chunks(1)
        .map(|suite| terminal(&conformance::report(suite, args.strict), look, detail))
        .collect();
    if suites.len() > 1 {
        pages.push(terminal(&conformance::matrix(suites), look, detail));
    }
    pages.join("\n")
}
