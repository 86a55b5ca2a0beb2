//! The options of the verbs that play one scenario many times for one result, and those with which others watch what runs.

use std::net::SocketAddr;

use clap::Args;

use super::formats::OutputArgs;
use super::overrides::OverrideArgs;
use super::play::PlayArgs;
use super::secrets::secrets;
use super::server::ServerArgs;
use crate::runner::{Error, Event, PublishConfig};

/// Where the figures and the report go while something runs.
#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    /// Serve the figures for Prometheus while it runs, as OpenMetrics at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Push the figures to this collector of OpenTelemetry every 5 s and at the end (OTLP over HTTP): `http://localhost:4318`.
    /// OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_CERTIFICATE add headers and the collector's authority
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
    /// Serve the report as a page that grows while it runs, with a button that stops it: `127.0.0.1:0`
    #[arg(long, value_name = "ADDRESS")]
    live: Option<SocketAddr>,
    /// Serve that page to other machines, too
    #[arg(long, requires = "live")]
    live_public: bool,
}

/// What `capacity` and `compare` have in common
#[derive(Debug, Args)]
pub(super) struct CommonArgs {
    #[command(flatten)]
    pub(super) watch: WatchArgs,
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

impl WatchArgs {
    pub(super) fn are_asked_for(&self) -> bool {
        self.metrics.is_some() || self.otlp.is_some() || self.live.is_some()
    }

    /// What they say.
    pub(super) fn config(&self) -> PublishConfig {
        let WatchArgs { metrics, otlp, live, live_public } = self.clone();
        PublishConfig { metrics, otlp, live, live_public, secrets: secrets() }
    }
}

impl CommonArgs {
    /// Shows how it goes, and stores the result so far.
    pub(super) fn listener(&self) -> impl FnMut(Event<'_>) -> Result<(), Error> {
        self.output.listener(self.quiet)
    }
}
