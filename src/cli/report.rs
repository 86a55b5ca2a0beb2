//! `sockrates report`: renders stored results again, of `run`, `conform`, `compare` and `capacity`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::formats::{FormatArgs, When};
use super::{WRONG, complain, look_of_stdout, put, say};
use crate::capacity::{self, CapacityResult};
use crate::compare::{self, ComparisonResult, Diff};
use crate::conformance::{self, SuiteResult, matrix};
use crate::report::file::{Kind, ResultFile};
use crate::report::text::{Detail, Look};
use crate::report::{RunResult, text};

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
        let why = |why| format!("{name} {why}");
        let stored = ResultFile::open(&text).map_err(why)?;
        match stored.kind {
            Kind::Run => runs.append(&mut stored.body().map_err(why)?),
            Kind::Suite => suites.append(&mut stored.body().map_err(why)?),
            kind if args.results.len() > 1 => {
                let kind = kind.name();
                return Err(format!(
                    "{name} is a result of the kind {kind}, which is rendered alone: name no other"
                ));
            }
            Kind::Capacity => return of_one(args, &One::Capacity(Box::new(stored.body().map_err(why)?))),
            Kind::Comparison => return of_one(args, &One::Comparison(Box::new(stored.body().map_err(why)?))),
            Kind::Diff => return of_one(args, &One::Diff(Box::new(stored.body().map_err(why)?))),
        }
    }
    match (runs.is_empty(), suites.is_empty()) {
        (false, false) => {
            Err("some of the files are of `run` and some of `conform`: render them apart".to_owned())
        }
        (_, true) => of_runs(args, &runs),
        (true, false) => of_suites(args, &suites),
    }
}

/// A result that is alone in its file and rendered alone.
enum One {
    Comparison(Box<ComparisonResult>),
    Diff(Box<Diff>),
    Capacity(Box<CapacityResult>),
}

fn of_one(args: &ReportArgs, one: &One) -> Result<(), String> {
    let look = look_of_stdout();
    let (words, page, summary) = match one {
        One::Comparison(result) => (
            compare::text::render(result, look),
            compare::to_html(result),
            Some(compare::to_markdown(result)),
        ),
        One::Diff(result) => (
            compare::text::render_two_days(result, look),
            compare::two_days_to_html(result),
            Some(compare::two_days_to_markdown(result)),
        ),
        One::Capacity(result) => (capacity::text::render(result, look), capacity::to_html(result), None),
    };
    let (html, markdown) = args.formats.of_one(summary.is_some())?;
    if args.formats.is_empty() {
        say(words.trim_end());
    }
    if let Some(file) = html {
        put(file, "page", &page)?;
    }
    match markdown.zip(summary) {
        Some((file, summary)) => put(file, "summary", &summary),
        None => Ok(()),
    }
}

fn of_runs(args: &ReportArgs, runs: &[RunResult]) -> Result<(), String> {
    if args.formats.is_empty() {
        let detail = args.detail();
        let pages: Vec<String> = runs.iter().map(|run| text::render(run, look_of_stdout(), detail)).collect();
        say(pages.join("\n").trim_end());
        return Ok(());
    }
    args.formats.write(None, runs, When::AtTheEnd)
}

fn of_suites(args: &ReportArgs, suites: &[SuiteResult]) -> Result<(), String> {
    let forms = args.formats.of_suites(args.strict)?;
    if args.formats.is_empty() {
        say(suite_pages(suites, look_of_stdout(), args.detail()).trim_end());
    }
    forms.write(suites, When::AtTheEnd)
}

fn suite_pages(suites: &[SuiteResult], look: Look, detail: Detail) -> String {
    let mut pages: Vec<String> =
        suites.iter().map(|suite| conformance::text::render(suite, look, detail)).collect();
    if suites.len() > 1 {
        pages.push(matrix::render(suites, look, detail));
    }
    pages.join("\n")
}
