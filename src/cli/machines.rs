//! The options that say which other machines play the clients.

use clap::Args;

use super::broker::BrokerArgs;
use crate::agents::MOST_AGENTS;
use crate::runner::{Error, MachinesConfig};

/// The most agents on one machine.
const MOST_LOCAL: u16 = 64;

/// Which other machines play the clients
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Agents")]
pub(super) struct MachinesArgs {
    /// Let so many agents play the clients, which wait for work at --nats (`sockrates agent`); `local:4` starts four and a
    /// broker on this machine
    #[arg(long, value_name = "NUMBER", value_parser = agents)]
    agents: Option<Agents>,
    #[command(flatten)]
    broker: BrokerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agents {
    Elsewhere(u16),
    Here(u16),
}

fn agents(text: &str) -> Result<Agents, String> {
    let (number, of, most): (_, fn(u16) -> Agents, _) = match text.strip_prefix("local:") {
        Some(number) => (number, Agents::Here, MOST_LOCAL),
        None => (text, Agents::Elsewhere, MOST_AGENTS),
    };
    let number = number.parse().ok().filter(|number| (1..=most).contains(number));
    number.map(of).ok_or_else(|| format!("write how many, from 1 to {most}, like `4` or `local:4`"))
}

impl MachinesArgs {
    /// Which machines these are, if others play.
    ///
    /// # Errors
    /// A sentence, when the two options do not go together.
    pub(super) fn config(&self) -> Result<Option<MachinesConfig>, Error> {
        // A broker in the environment alone asks for nothing.
        match (self.agents, self.broker.config()) {
            (None, _) => Ok(None),
            (Some(Agents::Here(number)), _) => Ok(Some(MachinesConfig::Local(number))),
            (Some(Agents::Elsewhere(number)), Some(broker)) => {
                Ok(Some(MachinesConfig::Agents(broker, number)))
            }
            (Some(Agents::Elsewhere(number)), None) => Err(Error::because(format!(
                "`--agents {number}` needs the broker at which they wait: add `--nats nats://HOST:4222`, or say \
                 `--agents local:{number}` to start them on this machine"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_elsewhere_or_here_and_at_least_one() {
        assert_eq!(agents("8"), Ok(Agents::Elsewhere(8)));
        assert_eq!(agents("local:4"), Ok(Agents::Here(4)));
        for wrong in ["", "0", "local:", "local:0", "local:65", "1001", "four", "-1"] {
            assert!(agents(wrong).is_err(), "{wrong:?}");
        }
    }
}
