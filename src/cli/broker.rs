//! The options that say where agents wait for work, and how many of them play the clients.

use std::path::PathBuf;

use clap::Args;

use super::secrets::secrets;
use crate::agents::BrokerConfig;
use crate::runner::{AgentCount, Error, MachinesConfig};

/// Names the broker where no option does.
const NATS: &str = "SOCKRATES_NATS";

/// The broker at which agents wait for work.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Agents")]
pub(super) struct BrokerArgs {
    /// The NATS server at which agents wait for work: nats://HOST:PORT or tls://HOST:PORT, several with commas between them
    #[arg(long, value_name = "URL", env = NATS, hide_env_values = true)]
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

    /// Whether an option names the broker, and not the environment alone.
    fn is_asked_for(&self) -> bool {
        self.nats.is_some() && self.nats != std::env::var(NATS).ok()
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
    ///
    /// # Errors
    /// A sentence, when agents are to come that wait nowhere, and when a broker is named that nobody would use.
    pub(super) fn config(&self) -> Result<Option<MachinesConfig>, Error> {
        let needless = match self.agents {
            _ if !self.broker.is_asked_for() => None,
            None => Some(
                "`--nats` names a broker, and nothing says how many agents play: add `--agents NUMBER`"
                    .to_owned(),
            ),
            Some(AgentCount::Here(number)) => Some(format!(
                "`--agents local:{number}` starts a broker of its own: leave out `--nats`, or say `--agents {number}`"
            )),
            Some(AgentCount::Elsewhere(_)) => None,
        };
        if let Some(needless) = needless {
            return Err(Error::because(needless));
        }
        MachinesConfig::asked(self.agents, self.broker.config())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Asked {
        #[command(flatten)]
        machines: MachinesArgs,
    }

    fn asked(options: &[&str]) -> Result<bool, String> {
        let options = [&["sockrates"], options].concat();
        let asked = Asked::try_parse_from(options).expect("these are options");
        asked.machines.config().map(|config| config.is_some()).map_err(|error| error.words)
    }

    #[test]
    fn a_broker_that_nobody_would_use_is_refused_and_not_left_out_in_silence() {
        let broker = ["--nats", "nats://broker.example:4222"];
        let alone = asked(&broker).expect_err("nobody would use it");
        assert!(alone.contains("add `--agents NUMBER`"), "{alone}");
        let beside =
            asked(&[&broker[..], &["--agents", "local:2"]].concat()).expect_err("it is not that one");
        assert!(beside.contains("say `--agents 2`"), "{beside}");
        assert_eq!(asked(&[&broker[..], &["--agents", "2"]].concat()), Ok(true));
        assert_eq!((asked(&[]), asked(&["--agents", "local:2"])), (Ok(false), Ok(true)));
    }
}
