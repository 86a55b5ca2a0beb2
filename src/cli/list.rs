//! `sockrates list`: the bundled scenarios.

use clap::Args;

use super::say;
use crate::runner::{Bundled, Error};
use crate::scenario::{self, Need, Surroundings};
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
    let rows: Vec<Vec<String>> = all
        .iter()
        .filter_map(|bundled| {
            let scenario = scenario::read(&bundled.source(), &Surroundings::without_files()).ok()?;
            let needs: Vec<&str> = scenario.needs.iter().copied().map(Need::name).collect();
            let (level, needs) = (scenario.level.name().to_owned(), needs.join(", "));
            let name = name(bundled).to_owned();
            Some(match args.conformance {
                true => vec![name, level, needs, scenario.clause.join(", "), scenario.spec.join("; ")],
                false => {
                    let contract =
                        match (scenario.contract.is_default(), scenario.default_events().is_empty()) {
                            (true, true) => "none",
                            (true, false) => "default",
                            (false, _) => "its own",
                        };
                    let clients = scenario.clients().to_string();
                    vec![name, level, needs, contract.to_owned(), clients, scenario.name]
                }
            })
        })
        .collect();
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(match args.conformance {
        true => vec!["case", "level", "needs", "clauses", "spec"],
        false => vec!["name", "level", "needs", "contract", "clients", "shows"],
    });
    table.add_rows(rows);
    let lines = table.to_string();
    say(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    Ok(Status::Passed)
}
