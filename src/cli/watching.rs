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
    /// Begins to listen, and says where. `stop` is what ends the run.
    ///
    /// # Errors
    /// When the address is taken.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Published, Error> {
        begin(self.metrics, None, false, stop)
    }
}

impl WatchArgs {
    /// Begins to listen, and says where. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Published, Error> {
        begin(self.metrics.metrics, self.live, self.live_public, stop)
    }
}

fn begin(
    metrics: Option<SocketAddr>,
    live: Option<SocketAddr>,
    live_public: bool,
    stop: &Arc<AtomicBool>,
) -> Result<Published, Error> {
    let published = Published::begin(PublishConfig { metrics, live, live_public, secrets: secrets() }, stop)?;
    published.places().iter().for_each(|place| complain(&format!("note: {place}")));
    Ok(published)
}
