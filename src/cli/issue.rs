//! `sockrates conform --issue CASE`: a bug report for the maintainers of a server.

use std::path::PathBuf;

use clap::Args;

use super::display::Display;
use super::print;
use crate::runner::{Error, Found, SuitesConfig, stop_on_signals};
use crate::verdict::Status;

/// A bug report
#[derive(Debug, Args)]
#[command(next_help_heading = "A bug report")]
pub(super) struct IssueArgs {
    /// Play this case, and print a bug report about what it finds, as Markdown for the maintainers of the server
    #[arg(long, value_name = "CASE", conflicts_with_all = ["only", "exclude", "servers", "baseline", "write_baseline"])]
    pub(super) issue: Option<String>,
    /// Of --issue: take what it finds from this file of `conform --json`, and play nothing
    #[arg(long, value_name = "FILE", requires = "issue", conflicts_with_all = ["url", "server", "fault"])]
    result: Option<PathBuf>,
}

/// Prints the report, one for each server that deviates in the case.
pub(super) fn write_issue(
    args: &IssueArgs,
    case: &str,
    config: SuitesConfig,
    quiet: bool,
) -> Result<Status, Error> {
    let found = match &args.result {
        Some(file) => Found::stored(file)?,
        None => {
            let mut display = Display::new(quiet);
            Found::played(case, &config.given, config.suite, stop_on_signals, &mut |event| {
                display.show(&event);
                Ok(())
            })?
        }
    };
    print(&found.issues(case)?.join("\n---\n\n"))?;
    Ok(Status::Failed)
}
