//! `sockrates report`: renders stored results again, of `run`, `conform`, `compare` and `capacity`.

use std::path::PathBuf;

use clap::Args;

use super::formats::{FormatArgs, write};
use super::{look_of_stdout, print};
use crate::conformance::{self, SuiteResult};
use crate::matrix::site::index;
use crate::report::{self, Detail, Report, RunResult, terminal};
use crate::runner::{Error, Forms, Stored, When, write_site};
use crate::verdict::Status;
use crate::{capacity, compare};

/// Renders stored results again: as text, or in other forms
#[derive(Debug, Args)]
#[command(before_help = help!("report"))]
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
    /// Of `conform --servers`: write the site into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    formats: FormatArgs,
}

/// Reads the files and writes what is asked for. The verdicts in them change no exit code: they are old.
pub(super) fn report(args: &ReportArgs) -> Result<Status, Error> {
    args.formats.of_runs(None, &[]).check()?;
    match Stored::read(&args.results)? {
        Stored::Runs(runs) => of_runs(args, &runs),
        Stored::Suites(suites) => of_suites(args, &suites),
        Stored::Capacity(result) => of_one(args, "capacity", &capacity::report(&result)),
        Stored::Growth(result) => of_one(args, "capacity", &capacity::growth_report(&result)),
        Stored::Comparison(result) => of_one(args, "compare", &compare::report(&result)),
        Stored::Diff(result) => of_one(args, "compare", &compare::diff_report(&result)),
        Stored::Trend(result) => of_one(args, "trend", &compare::trend_report(&result)),
        Stored::Servers(result) => match &args.out {
            Some(folder) => write_site(folder, &result).map(|()| Status::Passed),
            None => of_one(args, "conform --servers", &index(&result)),
        },
    }
}

/// Of a result that is alone in its file and rendered alone.
fn of_one(args: &ReportArgs, verb: &str, report: &Report) -> Result<Status, Error> {
    args.formats.refuse_all_but(verb, &["HTML", "Markdown"])?;
    let forms = args.formats.documents.pages.with(Forms::default(), || report.clone());
    finish(&forms, || terminal(report, look_of_stdout(), Detail::of(false, args.verbose)))
}

fn of_runs(args: &ReportArgs, runs: &[RunResult]) -> Result<Status, Error> {
    let page = || terminal(&report::of_runs(runs), look_of_stdout(), Detail::of(false, args.verbose));
    finish(&args.formats.of_runs(None, runs), page)
}

fn of_suites(args: &ReportArgs, suites: &[SuiteResult]) -> Result<Status, Error> {
    let (look, detail) = (look_of_stdout(), Detail::of(false, args.verbose));
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
    match forms.is_empty() {
        true => print(&text()),
        false => write(forms, When::AtTheEnd).map(|()| Status::Passed),
    }
}
