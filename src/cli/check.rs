//! `sockrates check`: reads scenarios and tells what they would do. Connects to nothing.

use clap::Args;

use super::overrides::OverrideArgs;
use super::secrets::secrets;
use super::{print, warn};
use crate::runner::{Error, select};
use crate::scenario::explain;
use crate::verdict::Status;

/// Reads scenarios and explains what they would do; connects to nothing
#[derive(Debug, Args)]
#[command(before_help = help!("check"))]
pub(super) struct CheckArgs {
    /// Files, folders, or names of bundled scenarios
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Only print what is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    load: OverrideArgs,
}

/// Explains good scenarios on standard output; bad ones are an error.
pub(super) fn check(args: &CheckArgs) -> Result<Status, Error> {
    let selected = select(&args.scenarios, &args.load.overrides()?)?;
    selected.iter().for_each(|one| one.note_secrets(&secrets()));
    if args.quiet {
        warn(&selected);
        return Ok(Status::Passed);
    }
    print(&selected.iter().map(|one| explain(&one.scenario)).collect::<Vec<_>>().join("\n"))
}
