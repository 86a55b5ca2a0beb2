//! The options with which others watch what runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::complain;
use super::secrets::{clean_each, secrets};
use crate::report::RunResult;
use crate::runner::{Error, Event, PublishConfig, Published};

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

    /// Begins, and says where the figures are. `stop` is what ends the run.
    ///
    /// # Errors
    /// When the address is taken, or the url is none.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Watchers, Error> {
        self.begin_with(None, false, stop)
    }

    fn begin_with(
        &self,
        live: Option<SocketAddr>,
        live_public: bool,
        stop: &Arc<AtomicBool>,
    ) -> Result<Watchers, Error> {
        let (metrics, otlp) = (self.metrics, self.otlp.clone());
        let config = PublishConfig { metrics, otlp, live, live_public, secrets: secrets() };
        let published = Published::begin(config, stop)?;
        published.places().iter().for_each(|place| complain(&format!("note: {place}")));
        Ok(Watchers { published, last: None, stop: stop.clone() })
    }
}

impl WatchArgs {
    /// Begins, and says where the figures are. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on, or the url is none.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Watchers, Error> {
        self.metrics.begin_with(self.live, self.live_public, stop)
    }
}

/// Those who watch, if anybody does.
pub(super) struct Watchers {
    published: Published,
    /// What they have seen last.
    last: Option<RunResult>,
    stop: Arc<AtomicBool>,
}

impl Watchers {
    pub(super) fn want_results(&self) -> bool {
        self.published.want_results()
    }

    /// Shows a run that goes on, behind those that are over.
    pub(super) fn show(&self, over: &[RunResult], so_far: &RunResult) {
        self.published.show(over, so_far);
    }

    /// Shows the run that is under way, of many that are played for one result.
    pub(super) fn watch(&mut self, event: &Event<'_>) {
        if let Event::RunSoFar(so_far) = event
            && self.want_results()
            && let Ok(so_far) = clean_each(so_far())
        {
            self.show(&[], &so_far);
            self.last = Some(so_far);
        }
    }

    /// Shows how the last of them ended.
    pub(super) fn end(mut self) {
        if let Some(last) = self.last.take() {
            self.show_end(&[], &last, true);
        }
    }

    /// Shows how a run ended, and says what went wrong with showing, once nothing follows.
    pub(super) fn show_end(&self, over: &[RunResult], result: &RunResult, is_last: bool) {
        let trouble = self.published.show_end(over, result, is_last, &self.stop);
        trouble.iter().for_each(|trouble| complain(&format!("warning: {trouble}")));
    }
}
