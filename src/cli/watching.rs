//! The options with which others watch what runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::complain;
use super::secrets::secrets;
use crate::runner::{Error, PublishConfig, Published};

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
    /// Begins, and says where the figures are. `stop` is what ends the run.
    ///
    /// # Errors
    /// When the address is taken, or the url is none.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Published, Error> {
        self.begin_with(None, false, stop)
    }

    fn begin_with(
        &self,
        live: Option<SocketAddr>,
        live_public: bool,
        stop: &Arc<AtomicBool>,
    ) -> Result<Published, Error> {
        let (metrics, otlp) = (self.metrics, self.otlp.clone());
        let config = PublishConfig { metrics, otlp, live, live_public, secrets: secrets() };
        let published = Published::begin(config, stop)?;
        published.places().iter().for_each(|place| complain(&format!("note: {place}")));
        Ok(published)
    }
}

impl WatchArgs {
    /// Begins, and says where the figures are. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on, or the url is none.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Published, Error> {
        self.metrics.begin_with(self.live, self.live_public, stop)
    }
}
