//! The options that say which other machines play the clients.

use clap::Args;

use super::broker::BrokerArgs;
use crate::runner::{AgentCount, Error, MachinesConfig};

/// Which other machines play the clients
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Agents")]
pub(super) struct MachinesArgs {
    /// Let so many agents play the clients, which wait for work at --nats (`sockrates agent`); `local:4` starts four and a
    /// broker on this machine
    #[arg(long, value_name = "NUMBER")]
    agents: Option<AgentCount>,
    #[command(flatten)]
    broker: BrokerArgs,
}

impl MachinesArgs {
    /// Which machines these are, if others play.
    ///
    /// # Errors
    /// A sentence, when the two options do not go together.
    pub(super) fn config(&self) -> Result<Option<MachinesConfig>, Error> {
        MachinesConfig::asked(self.agents, self.broker.config())
    }
}
