//! `sockrates list`: the bundled scenarios.

use std::process::ExitCode;

use clap::Args;

use super::{bundled, say};
use crate::scenario::{self, Need, Surroundings};

const EXAMPLES: &str = "\
Examples:
  sockrates list            every bundled scenario, a line each
  sockrates list --ids      their names alone, for scripts";

/// Shows the bundled scenarios: name, level, what the server has to offer, what it shows
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ListArgs {
    /// Print only the names
    #[arg(long)]
    ids: bool,
}

/// Prints a line for each bundled scenario.
pub fn list(args: &ListArgs) -> ExitCode {
    let all = bundled::all();
    if args.ids {
        all.iter().for_each(|bundled| say(bundled.id));
        return ExitCode::SUCCESS;
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .filter_map(|bundled| {
            let scenario = scenario::read(&bundled.source(), &Surroundings::without_files()).ok()?;
            let needs: Vec<&str> = scenario.needs.iter().copied().map(Need::name).collect();
            let clients: u32 = scenario.cast.iter().map(|group| group.count).sum();
            Some([
                bundled.id.to_owned(),
                scenario.level.name().to_owned(),
                needs.join(", "),
                clients.to_string(),
                scenario.name,
            ])
        })
        .collect();
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["name", "level", "needs", "clients", "shows"]);
    table.add_rows(rows);
    let lines = table.to_string();
    say(&lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
    ExitCode::SUCCESS
}
