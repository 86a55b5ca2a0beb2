//! The options that say where agents wait for work, and how many of them play the clients.

use std::path::PathBuf;

use clap::Args;

use super::secrets::secrets;
use crate::agents::BrokerConfig;
use crate::runner::{AgentCount, Error, MachinesConfig};

/// The broker at which agents wait for work.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Agents")]
pub(super) struct BrokerArgs {
    /// The NATS server at which agents wait for work: nats://HOST:PORT or tls://HOST:PORT, several with commas between them
    #[arg(long, value_name = "URL", env = "SOCKRATES_NATS", hide_env_values = true)]
    nats: Option<String>,
    /// The file with the credentials for the NATS server
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_creds: Option<PathBuf>,
    /// The token for the NATS server
    #[arg(long, value_name = "TOKEN", env = "SOCKRATES_NATS_TOKEN", hide_env_values = true)]
    nats_token: Option<String>,
    /// Trust the certificates in this PEM file for the NATS server
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_ca: Option<PathBuf>,
    /// Show the NATS server this certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "nats_key")]
    nats_cert: Option<PathBuf>,
    /// The key of the certificate of --nats-cert (PEM)
    #[arg(long, value_name = "FILE", requires = "nats_cert")]
    nats_key: Option<PathBuf>,
}

impl BrokerArgs {
    /// The broker, of a verb that is about nothing else.
    pub(super) fn required(&self) -> Result<BrokerConfig, Error> {
        self.config().ok_or_else(|| Error::because("name the broker with `--nats nats://HOST:4222`"))
    }

    /// The broker, if one is named. What of it is secret is known from here on.
    fn config(&self) -> Option<BrokerConfig> {
        let config = BrokerConfig {
            url: self.nats.clone()?,
            credentials: self.nats_creds.clone(),
            token: self.nats_token.clone(),
            ca_file: self.nats_ca.clone(),
            identity: self.nats_cert.clone().zip(self.nats_key.clone()),
        };
        config.note_secrets(&secrets());
        Some(config)
    }
}

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
    pub(super) fn config(&self) -> Result<Option<MachinesConfig>, Error> {
        MachinesConfig::asked(self.agents, self.broker.config())
    }
}
