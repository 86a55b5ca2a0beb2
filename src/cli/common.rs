//! The options of the verbs that play one scenario many times for one result.

use clap::Args;

use super::formats::OutputArgs;
use super::overrides::OverrideArgs;
use super::play::PlayArgs;
use super::server::ServerArgs;
use super::watching::MetricsArgs;
use crate::runner::{Error, Event};

/// What `capacity` and `compare` have in common
#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    pub(super) play: PlayArgs,
    #[command(flatten)]
    pub(super) load: OverrideArgs,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

impl CommonArgs {
    /// Shows how it goes, and stores the result so far.
    pub(super) fn listener(&self) -> impl FnMut(Event<'_>) -> Result<(), Error> {
        self.output.listener(self.quiet)
    }
}
