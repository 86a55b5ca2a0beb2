//! `sockrates report`: renders stored results again, of `run`, `conform`, `compare` and `capacity`.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::formats::{DocumentArgs, FormatArgs, Forms, When};
use super::{detail, look_of_stdout, say};
use crate::capacity::{self, CapacityResult};
use crate::compare::{self, ComparisonResult, Diff};
use crate::conformance::{self, SuiteResult};
use crate::report::file::{Kind, ResultFile};
use crate::report::{self, RunResult, html, markdown, terminal};
use crate::runner::Error;
use crate::verdict::Status;

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
pub(super) struct ReportArgs {
    /// Files that `run` or `conform` have written by `--json`, or one of `compare` or `capacity`
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
    /// Of `conform`: let warnings count as failures
    #[arg(long)]
    strict: bool,
    /// Show each step or case that held, each counter, and the last frames of the clients that failed
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    formats: FormatArgs,
}

/// Reads the files and writes what is asked for. The verdicts in them change no exit code: they are old.
pub(super) fn report(args: &ReportArgs) -> Result<Status, Error> {
    args.formats.of_runs(None, &[]).check()?;
    let (mut runs, mut suites) = (Vec::new(), Vec::new());
    for file in &args.results {
        let name = file.display();
        let text = fs::read_to_string(file).map_err(|error| {
            Error::because(format!(
                "failed to read the result {name}: {error}; `sockrates run … --json FILE` writes one"
            ))
        })?;
        let why = |why| Error::because(format!("{name} {why}"));
        let stored = ResultFile::open(&text).map_err(why)?;
        match stored.kind {
            Kind::Run => runs.append(&mut stored.body().map_err(why)?),
            Kind::Suite => suites.append(&mut stored.body().map_err(why)?),
            kind if args.results.len() > 1 => {
                let kind = kind.name();
                return Err(Error::because(format!(
                    "{name} is a result of the kind {kind}, which is rendered alone: give no other file"
                )));
            }
            Kind::Capacity => return of_one(args, &One::Capacity(Box::new(stored.body().map_err(why)?))),
            Kind::Comparison => return of_one(args, &One::Comparison(Box::new(stored.body().map_err(why)?))),
            Kind::Diff => return of_one(args, &One::Diff(Box::new(stored.body().map_err(why)?))),
        }
    }
    match (runs.is_empty(), suites.is_empty()) {
        (false, false) => Err(Error::because(
            "some of the files are of `run` and some of `conform`: render them separately",
        )),
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

fn of_one(args: &ReportArgs, one: &One) -> Result<Status, Error> {
    let (verb, report) = match one {
        One::Comparison(result) => ("compare", compare::report(result)),
        One::Diff(result) => ("compare", compare::diff_report(result)),
        One::Capacity(result) => ("capacity", capacity::report(result)),
    };
    args.formats.refuse_all_but(verb, &["HTML", "Markdown"])?;
    let DocumentArgs { html: page, markdown: summary, .. } = &args.formats.documents;
    let forms = Forms::default().with(page.as_deref(), "page", || html(&report)).with(
        summary.as_deref(),
        "summary",
        || markdown(&report),
    );
    finish(&forms, || terminal(&report, look_of_stdout(), detail(false, args.verbose)))
}

fn of_runs(args: &ReportArgs, runs: &[RunResult]) -> Result<Status, Error> {
    let page = || terminal(&report::of_runs(runs), look_of_stdout(), detail(false, args.verbose));
    finish(&args.formats.of_runs(None, runs), page)
}

fn of_suites(args: &ReportArgs, suites: &[SuiteResult]) -> Result<Status, Error> {
    let (look, detail) = (look_of_stdout(), detail(false, args.verbose));
    args.formats.refuse_all_but("conform", &["HTML", "JUnit", "Markdown"])?;
    finish(&args.formats.documents.of_suites(None, suites, args.strict), || {
        let each = suites.chunks(1).map(|suite| conformance::report(suite, args.strict));
        let matrix = (suites.len() > 1).then(|| conformance::matrix(suites));
        let pages = each.chain(matrix).map(|report| terminal(&report, look, detail));
        pages.collect::<Vec<_>>().join("\n")
    })
}

/// Writes the forms, or prints the text where none is asked for.
fn finish(forms: &Forms<'_>, text: impl FnOnce() -> String) -> Result<Status, Error> {
    if forms.is_empty() {
        say(text().trim_end());
    }
    forms.write(When::AtTheEnd)?;
    Ok(Status::Passed)
}
