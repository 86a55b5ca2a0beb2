//! `sockrates list`: the bundled scenarios.

use clap::Args;

use super::print;
use crate::report;
use crate::runner::{Bundled, Error};
use crate::scenario::{self, Scenario, Surroundings};
use crate::verdict::Status;

/// Shows the bundled scenarios: name, level, what the server has to offer, what it shows
#[derive(Debug, Args)]
#[command(before_help = help!("list"))]
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
        return print(&all.iter().map(name).collect::<Vec<_>>().join("\n"));
    }
    let (columns, row): (&[_], fn(&Scenario) -> Vec<String>) = match args.conformance {
        true => (&["case", "level", "needs", "clauses", "spec"], Scenario::row_of_case),
        false => (&["name", "level", "needs", "contract", "clients", "shows"], Scenario::row),
    };
    let read = |bundled: &Bundled| scenario::read(&bundled.source(), &Surroundings::without_files()).ok();
    let row = |bundled| Some([vec![name(bundled).to_owned()], row(&read(bundled)?)].concat());
    print(&report::list(columns, all.iter().filter_map(row)))
}
