//! `sockrates list`: the bundled scenarios.

use clap::Args;

use super::say;
use crate::runner::{Bundled, Error};
use crate::scenario::{self, Scenario, Surroundings};
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates list                  every bundled scenario, a line each
  sockrates list --ids            their names alone, for scripts
  sockrates list --conformance    the cases of the conformance suite";

/// Shows the bundled scenarios: name, level, what the server has to offer, what it shows
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct ListArgs {
    /// Print only the names
    #[arg(long)]
    ids: bool,
    /// Show the cases of the conformance suite
    #[arg(long)]
    conformance: bool,
}

/// Prints a line for each bundled scenario, or for each case.
pub(super) fn list(args: &ListArgs) -> Result<Status, Error> {
    let all: Vec<Bundled> =
        Bundled::all().into_iter().filter(|bundled| bundled.case().is_some() == args.conformance).collect();
    let name = |bundled: &Bundled| bundled.case().unwrap_or(bundled.id);
    if args.ids {
        all.iter().for_each(|bundled| say(name(bundled)));
        return Ok(Status::Passed);
    }
    let (header, row): (_, fn(&Scenario) -> Vec<String>) = match args.conformance {
        true => (vec!["case", "level", "needs", "clauses", "spec"], Scenario::row_of_case),
        false => (vec!["name", "level", "needs", "contract", "clients", "shows"], Scenario::row),
    };
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    for bundled in &all {
        if let Ok(scenario) = scenario::read(&bundled.source(), &Surroundings::without_files()) {
            table.add_row([vec![name(bundled).to_owned()], row(&scenario)].concat());
        }
    }
    let lines = table.to_string();
    say(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    Ok(Status::Passed)
}
