//! `sockrates trend`: the course of stored results.

use std::path::PathBuf;

use clap::Args;

use super::complain;
use super::formats::OutputArgs;
use crate::compare::Demand;
use crate::runner::{Error, trend_of};
use crate::verdict::Status;

/// Shows the course of stored results: where the level of a figure changed
#[derive(Debug, Args)]
#[command(before_help = help!("trend"))]
pub(super) struct TrendArgs {
    /// Files that `run --json` or `compare --json` has written, or folders with such files
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// End with 1 if the newest result is worse by so much than the last good one, and worse than all good ones since the last
    /// change: 'delivery p99 worse by 10 %' (repeatable)
    #[arg(long, value_name = "DEMAND", value_parser = Demand::parse)]
    fail_on: Vec<Demand>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Shows the course.
pub(super) fn trend(args: &TrendArgs) -> Result<Status, Error> {
    args.output.paths().of_nothing().check()?;
    let trend = trend_of(&args.results)?;
    args.output.show(&trend)?;
    let (status, complaints) = trend.judge(&args.fail_on);
    complaints.iter().for_each(|complaint| complain(complaint));
    Ok(status)
}
