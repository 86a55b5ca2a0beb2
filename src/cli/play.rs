//! The options that say how a scenario is run.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::broker::MachinesArgs;
use crate::runner::{Error, RunConfig};
use crate::session::Transport;
use crate::units::duration_from;

/// How a scenario is played, as the command line says.
#[derive(Clone, Debug, Args)]
pub(super) struct PlayArgs {
    /// The seed of all random numbers; the same seed gives the same plan
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// How many threads play the clients [default: one per processor, fewer for few clients]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// The transport of groups that name none [default: what the scenario says, else websocket]
    #[arg(long, value_name = "NAME", value_parser = transport())]
    transport: Option<Transport>,
    /// Offer compression of WebSocket messages, in groups that do not say (permessage-deflate)
    #[arg(long)]
    compression: bool,
    /// Let each connect begin a trace: its handshake and its upgrade carry a header `traceparent` (W3C Trace Context), unless
    /// the scenario or --header gives one. `${traceparent}` in a scenario is one for an event
    #[arg(long)]
    traceparent: bool,
    /// Stop a scenario after this time, even if it is not finished
    #[arg(long, value_name = "TIME", value_parser = duration_from)]
    max_time: Option<Duration>,
    /// Let scenarios start commands: their `services` and the `shell` steps of their scripts
    #[arg(long)]
    allow_commands: bool,
    #[command(flatten)]
    machines: MachinesArgs,
}

fn transport() -> impl TypedValueParser<Value = Transport> {
    PossibleValuesParser::new(Transport::ALL.map(Transport::name))
        .map(|name| Transport::ALL.into_iter().find(|one| one.name() == name).unwrap_or_default())
}

impl PlayArgs {
    /// What they say.
    pub(super) fn config(&self) -> Result<RunConfig, Error> {
        Ok(RunConfig {
            seed: self.seed,
            workers: self.workers,
            transport: self.transport,
            compression: self.compression,
            traceparent: self.traceparent,
            max_time: self.max_time,
            allows_commands: self.allow_commands,
            machines: self.machines.config()?,
            ..RunConfig::default()
        })
    }
}
