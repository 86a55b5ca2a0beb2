//! `sockrates report`: renders stored results again, of `run`, `conform`, `compare` and `capacity`.

use std::path::PathBuf;

use clap::Args;

use super::formats::{FormatArgs, write};
use super::{look_of_stdout, print};
use crate::report::{Detail, terminal};
use crate::runner::{Error, Stored, When};
use crate::verdict::Status;

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
    let paths = args.formats.paths();
    paths.of_nothing().check()?;
    let stored = Stored::read(&args.results)?;
    if let Some(folder) = &args.out
        && stored.write_site(folder)?
    {
        return Ok(Status::Passed);
    }
    let forms = stored.forms(&paths, args.strict)?;
    if !forms.is_empty() {
        return write(&forms, When::AtTheEnd).map(|()| Status::Passed);
    }
    let (look, detail) = (look_of_stdout(), Detail::of(false, args.verbose));
    let texts: Vec<String> =
        stored.reports(args.strict).iter().map(|report| terminal(report, look, detail)).collect();
    print(&texts.join("\n"))
}
