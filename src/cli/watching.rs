//! The options with which others watch what runs.

use std::net::SocketAddr;

use clap::Args;

use super::secrets::secrets;
use crate::runner::PublishConfig;

/// Where the figures go while something runs.
#[derive(Clone, Debug, Args)]
pub(super) struct MetricsArgs {
    /// Serve the figures for Prometheus while it runs, as OpenMetrics at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Push the figures to this collector of OpenTelemetry every 5 s and at the end (OTLP over HTTP): `http://localhost:4318`.
    /// OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_CERTIFICATE add headers and the collector's authority
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

/// Where the figures and the report go while something runs.
#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Serve the report as a page that grows while it runs, with a button that stops the run: `127.0.0.1:0`
    #[arg(long, value_name = "ADDRESS")]
    live: Option<SocketAddr>,
    /// Serve that page to other machines, too
    #[arg(long, requires = "live")]
    live_public: bool,
}

impl MetricsArgs {
    pub(super) fn are_asked_for(&self) -> bool {
        self.metrics.is_some() || self.otlp.is_some()
    }

    /// What they say.
    pub(super) fn config(&self) -> PublishConfig {
        let (metrics, otlp) = (self.metrics, self.otlp.clone());
        PublishConfig { metrics, otlp, live: None, live_public: false, secrets: secrets() }
    }
}

impl WatchArgs {
    /// What they say.
    pub(super) fn config(&self) -> PublishConfig {
        let (live, live_public) = (self.live, self.live_public);
        PublishConfig { live, live_public, ..self.metrics.config() }
    }
}
