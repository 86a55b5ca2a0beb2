//! The options that say where the broker of agents is.

use std::path::PathBuf;

use clap::Args;

use super::secrets::secrets;
use crate::agents::BrokerConfig;

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
    /// The broker, if one is named. What of it is secret is known from here on.
    pub(super) fn config(&self) -> Option<BrokerConfig> {
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
