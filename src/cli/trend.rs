//! `sockrates trend`: the course of stored results.

use std::path::PathBuf;

use clap::Args;

use super::formats::{tell, write};
use super::output::RESULTS;
use super::{complain, look_of_stdout};
use crate::compare::{Demand, trend_report};
use crate::report::{Detail, html, markdown, terminal};
use crate::runner::{Error, Forms, When, trend_of};
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates trend results/                              all results of a folder
  sockrates trend results/ --html trend.html            the course of each figure, drawn
  sockrates trend results/ --json trend.json            the same as data
  sockrates trend results/ --fail-on 'delivery p99 worse by 10 %'
                                                        1 if the newest is worse than the last good one";

/// Shows the course of stored results: where the level of a figure changed
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct TrendArgs {
    /// Files that `run --json` or `compare --json` has written, or folders with such files
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// End with 1 if the newest result is worse by so much than the last good one, and worse than all good ones since the last
    /// change: 'delivery p99 worse by 10 %' (repeatable)
    #[arg(long, value_name = "DEMAND", value_parser = Demand::parse)]
    fail_on: Vec<Demand>,
    /// Write the course to this file, as JSON; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    json: Option<PathBuf>,
    /// Write the course to this file, as one page of HTML
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    html: Option<PathBuf>,
    /// Write a summary to this file, as Markdown
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    markdown: Option<PathBuf>,
}

/// Shows the course.
pub(super) fn trend(args: &TrendArgs) -> Result<Status, Error> {
    let trend = trend_of(&args.results)?;
    let report = trend_report(&trend);
    let forms = Forms::default()
        .with(args.json.as_deref(), "results", || trend.to_json())
        .with(args.html.as_deref(), "page", || html(&report))
        .with(args.markdown.as_deref(), "summary", || markdown(&report));
    forms.check()?;
    tell(&forms, terminal(&report, look_of_stdout(), Detail::Usual).trim_end());
    write(&forms, When::AtTheEnd)?;
    let (status, complaints) = trend.judge(&args.fail_on);
    complaints.iter().for_each(|complaint| complain(complaint));
    Ok(status)
}
