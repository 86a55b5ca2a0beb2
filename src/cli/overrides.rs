//! The options that put another load in the place of the one that a scenario is written for, or ask more of the server.

use std::time::Duration;

use clap::Args;

use crate::runner::Error;
use crate::scenario::{Overrides, clients_from, variable_from};
use crate::units::{Rate, length_from, rate_from};

/// A load other than the one that the scenario is written for
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct OverrideArgs {
    /// How many clients in all: groups of more than one grow or shrink in proportion; or `crowd=500`, for one group
    #[arg(long, value_name = "[GROUP=]NUMBER", value_parser = clients_from)]
    clients: Vec<(Option<String>, u32)>,
    /// How long every outermost `repeat` lasts that has a `for`
    #[arg(long, value_name = "TIME", value_parser = length_from)]
    duration: Option<Duration>,
    /// How many rounds all `repeat`s with a pace begin together: `500/s`
    #[arg(long, value_name = "RATE", value_parser = rate_from)]
    rate: Option<Rate>,
    /// How many clients arrive, in all groups together that arrive at a rate: `200/s`
    #[arg(long, value_name = "RATE", value_parser = rate_from)]
    arrive: Option<Rate>,
    /// One more threshold, beside those of the scenario: `ack p99 < 200 ms` (repeatable)
    #[arg(long, value_name = "DEMAND")]
    threshold: Vec<String>,
    /// The value of one of the scenario's common variables
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable_from)]
    set: Vec<(String, String)>,
}

impl OverrideArgs {
    /// What they say. None of them may be given twice.
    pub(super) fn overrides(&self) -> Result<Overrides, Error> {
        let OverrideArgs { duration, rate, arrive, .. } = *self;
        let thresholds = self.threshold.clone();
        let mut overrides = Overrides { duration, rate, arrive, thresholds, ..Overrides::default() };
        for (group, count) in &self.clients {
            overrides.put_clients(group.as_deref(), *count).map_err(Error::because)?;
        }
        for (name, value) in &self.set {
            overrides.put_var(name, value).map_err(Error::because)?;
        }
        Ok(overrides)
    }
}
