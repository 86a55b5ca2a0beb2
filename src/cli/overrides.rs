//! The options that put another load in the place of the one that a scenario is written for, or ask more of the server.

use std::time::Duration;

use clap::Args;

use super::duration;
use crate::runner::Error;
use crate::scenario::Overrides;
use crate::units::{Rate, rate_from};

/// A load other than the one that the scenario is written for
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct OverrideArgs {
    /// How many clients in all: groups of more than one grow or shrink in proportion; or `crowd=500`, for one group
    #[arg(long, value_name = "[GROUP=]NUMBER", value_parser = clients)]
    clients: Vec<Clients>,
    /// How long every outermost `repeat` lasts that has a `for`
    #[arg(long, value_name = "TIME", value_parser = length)]
    duration: Option<Duration>,
    /// How many rounds all `repeat`s with a pace begin together: `500/s`
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<Rate>,
    /// How many clients arrive, in all groups together that arrive at a rate: `200/s`
    #[arg(long, value_name = "RATE", value_parser = rate)]
    arrive: Option<Rate>,
    /// One more threshold, beside those of the scenario: `ack p99 < 200 ms` (repeatable)
    #[arg(long, value_name = "DEMAND")]
    threshold: Vec<String>,
    /// The value of one of the scenario's common variables
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    set: Vec<(String, String)>,
}

/// How many clients, and in which group.
#[derive(Clone, Debug)]
struct Clients {
    group: Option<String>,
    count: u32,
}

fn clients(text: &str) -> Result<Clients, String> {
    let (group, count) = match text.split_once('=') {
        Some((group, count)) => (Some(group.trim().to_owned()), count),
        None => (None, text),
    };
    let count = count.trim().parse().map_err(|_| "expected a number like 500, or crowd=500".to_owned())?;
    Ok(Clients { group, count })
}

fn length(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a time longer than 0 s".to_owned()),
        length => Ok(length),
    }
}

fn rate(text: &str) -> Result<Rate, String> {
    rate_from(text).map_err(|mistake| mistake.to_string())
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it like rooms=50".to_owned()),
    }
}

impl OverrideArgs {
    /// What they say.
    ///
    /// # Errors
    /// When one of them is given twice.
    pub(super) fn overrides(&self) -> Result<Overrides, Error> {
        let OverrideArgs { duration, rate, arrive, .. } = *self;
        let thresholds = self.threshold.clone();
        let mut overrides = Overrides { duration, rate, arrive, thresholds, ..Overrides::default() };
        for Clients { group, count } in &self.clients {
            overrides.put_clients(group.as_deref(), *count).map_err(Error::because)?;
        }
        for (name, value) in &self.set {
            overrides.put_var(name, value).map_err(Error::because)?;
        }
        Ok(overrides)
    }
}
