//! `sockrates agent` and `sockrates agents`: a machine that waits for work, and who is there.

use clap::Args;

use super::broker::BrokerArgs;
use super::{complain, print};
use crate::agents::SeenAgent;
use crate::measure::format::printable;
use crate::report;
use crate::runner::{AgentConfig, Error, serve_runs, show_agents, stop_on_signals};
use crate::verdict::Status;

/// Waits for work and plays a part of the clients of runs
#[derive(Debug, Args)]
#[command(before_help = help!("agent"))]
pub(super) struct AgentArgs {
    /// Its name in reports [default: that of the machine]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What to show beside its name: zone=eu,disk=fast
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    labels: Vec<String>,
    /// How many threads play the clients [default: one per processor]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Load only servers whose URL fits this pattern, with * and ?; may stand several times
    #[arg(long, value_name = "PATTERN")]
    allow: Vec<String>,
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Shows the agents that wait for work at a broker
#[derive(Debug, Args)]
#[command(before_help = help!("agents"))]
pub(super) struct AgentsArgs {
    #[command(flatten)]
    broker: BrokerArgs,
}

/// Waits for work until it is stopped.
pub(super) fn agent(args: &AgentArgs) -> Result<Status, Error> {
    let config = AgentConfig {
        broker: args.broker.required()?,
        name: args.name.clone(),
        labels: args.labels.clone(),
        workers: args.workers,
        allowed: args.allow.clone(),
    };
    let stop = stop_on_signals()?;
    serve_runs(&config, &stop, &mut |line| complain(&printable(line)))?;
    Ok(Status::Passed)
}

/// Shows who is there.
pub(super) fn agents(args: &AgentsArgs) -> Result<Status, Error> {
    let broker = args.broker.required()?;
    let seen = show_agents(&broker)?;
    if seen.is_empty() {
        return print(&format!(
            "no agent waits at {}: start some with `sockrates agent --nats …`",
            broker.shown()
        ));
    }
    let columns = ["agent", "version", "threads", "files", "clock", "last seen", "does", "labels"];
    print(&report::list(&columns, seen.iter().map(SeenAgent::row)))
}
