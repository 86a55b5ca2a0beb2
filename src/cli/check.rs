//! `sockrates check`: reads scenarios and tells what they would do. Connects to nothing.

use std::process::ExitCode;

use clap::Args;

use super::overrides::OverrideArgs;
use super::{WRONG, complain, say, select};
use crate::scenario::explain;

const EXAMPLES: &str = "\
Examples:
  sockrates check my.yaml        one file
  sockrates check scenarios/     every scenario in a folder
  sockrates check chat           a bundled one";

/// Reads scenarios and explains what they would do; connects to nothing
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct CheckArgs {
    /// Files, folders, or names of bundled scenarios
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Only tell what is wrong
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    load: OverrideArgs,
}

/// Explains good scenarios on standard output and reports bad ones on standard error.
pub fn check(args: &CheckArgs) -> ExitCode {
    let selected = args
        .load
        .overrides()
        .map_err(|why| vec![format!("error: {why}")])
        .and_then(|overrides| select::select(&args.scenarios, &overrides));
    match selected {
        Ok(selected) => {
            if !args.quiet {
                let all: Vec<String> = selected.iter().map(|one| explain(&one.scenario)).collect();
                say(all.join("\n").trim_end());
            }
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            complain(wrong.join("\n\n").trim_end());
            ExitCode::from(WRONG)
        }
    }
}
