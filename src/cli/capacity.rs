//! `sockrates capacity`: the highest load at which the thresholds of a scenario hold.

use std::slice;
use std::time::Duration;

use clap::Args;

use super::common::CommonArgs;
use super::warn;
use crate::runner::{Error, HighestLoad, RunConfig, SearchConfig, select_one, stop_on_signals};
use crate::scenario::{Axis, load_from};
use crate::units::{duration_from, share_from};
use crate::verdict::Status;

/// What `--max-time` means here.
const MAX_TIME: &str = "End the search after this time; a step that is under way is finished";

/// What `--nodes` means here.
const NODES: &str = "Start the command of --server so often, as the nodes a, b, … of one server, each with its name in $NODE, its \
                     port in $PORT, and the ports of all in $PORTS. With a range, such as 1..4, search with each number of nodes and \
                     tell how the highest load grows; of nodes that are named by --url, the first so many take part";

/// Finds the highest load at which a scenario's thresholds hold
#[derive(Debug, Args)]
#[command(before_help = help!("capacity"), mut_arg("max_time", |arg| arg.help(MAX_TIME)), mut_arg("nodes", |arg| arg.help(NODES)))]
pub(super) struct CapacityArgs {
    /// A scenario with thresholds: a file or the name of a bundled one
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// What is raised: clients, rate, arrivals, or a variable of the scenario [default: what the scenario says, else clients]
    #[arg(long, value_name = "AXIS", value_parser = Axis::parse)]
    axis: Option<Axis>,
    /// The first load [default: what the scenario says, else a tenth of its own]
    #[arg(long, value_name = "LOAD", value_parser = load_from)]
    from: Option<f64>,
    /// The highest load [default: what the scenario says, else a hundred times its own]
    #[arg(long, value_name = "LOAD", value_parser = load_from)]
    to: Option<f64>,
    /// How far the answer may be off
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = part)]
    precision: f64,
    /// How often both ends are played again, each time on a fresh server
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    repeats: u16,
    /// In how many of them the highest load has to hold [default: more than half]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=99))]
    needed: Option<u16>,
    /// How long the server has between two steps
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration_from)]
    settle: Duration,
    /// How many deliveries or acknowledgements a step needs to be judged
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    min_samples: u64,
    /// Sample the processor and memory of this process on this machine, where the server is named with --url
    #[arg(long, value_name = "PROCESS", requires = "url", conflicts_with = "server")]
    pid: Option<u32>,
    /// Calculate how many such machines this number of users needs
    #[arg(long, value_name = "USERS", value_parser = clap::value_parser!(u64).range(1..))]
    plan_for: Option<u64>,
    /// The share of each machine that the plan leaves free
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = part)]
    headroom: f64,
    /// Afterwards run twice the highest load, then half of it until the thresholds hold again
    #[arg(long)]
    recovery: bool,
    #[command(flatten)]
    common: CommonArgs,
}

fn part(text: &str) -> Result<f64, String> {
    let share = share_from(text).map_err(|mistake| mistake.to_string())?.0;
    if share < 1.0 { Ok(share) } else { Err("expected less than 100 %".to_owned()) }
}

/// Searches.
pub(super) fn capacity(args: &CapacityArgs) -> Result<Status, Error> {
    let CommonArgs { output, server, load, .. } = &args.common;
    let given = server.given();
    let paths = output.paths();
    paths.of_nothing().check()?;
    let selected = select_one(&args.scenario, &load.overrides()?)?;
    let config = args.config()?;
    let search = HighestLoad::new(&config, &given, &selected)?;
    paths.of_nothing().prepare()?;
    warn(slice::from_ref(&selected));
    let stop = stop_on_signals()?;
    let found = search.run(args.common.watch.config(), &stop, &mut args.common.listener())?;
    let Some((result, status)) = found else { return Ok(Status::Interrupted) };
    output.show(&*result)?;
    Ok(status)
}

impl CapacityArgs {
    fn config(&self) -> Result<SearchConfig, Error> {
        Ok(SearchConfig {
            run: RunConfig { process: self.pid, ..self.common.play.config()? },
            axis: self.axis.clone(),
            from: self.from,
            to: self.to,
            precision: self.precision,
            repeats: self.repeats,
            needed: self.needed,
            settle: self.settle,
            min_samples: self.min_samples,
            plan_for: self.plan_for,
            headroom: self.headroom,
            recovery: self.recovery,
        })
    }
}
