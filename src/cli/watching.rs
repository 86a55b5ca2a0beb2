//! The options with which others watch what runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::complain;
use super::secrets::secrets;
use crate::publish::{Live, Metrics};
use crate::report::openmetrics::{CONTENT_TYPE, openmetrics};
use crate::report::{RunResult, frame, html, of_runs};
use crate::runner::Error;

/// Where the figures go while something runs.
#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    /// Serve the figures for Prometheus while it runs, as OpenMetrics at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// Serve the report as a page that grows while it runs, with a button that stops the run: `127.0.0.1:0`
    #[arg(long, value_name = "ADDRESS")]
    live: Option<SocketAddr>,
    /// Serve that page to other machines, too
    #[arg(long, requires = "live")]
    live_public: bool,
}

/// Those who watch.
pub(super) struct Watchers {
    metrics: Option<Metrics>,
    live: Option<Live>,
}

impl WatchArgs {
    /// Begins to listen, and says where. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on.
    pub(super) fn begin(&self, stop: &Arc<AtomicBool>) -> Result<Watchers, Error> {
        let taken = |flag: &str, address: SocketAddr, error| {
            Error::because(format!(
                "failed to listen on {address}, for {flag}: {error}\nhelp: take another port; port 0 takes any that is free"
            ))
        };
        let metrics = self.metrics.map(|address| {
            Metrics::listen(address, CONTENT_TYPE, "# EOF\n".to_owned())
                .map_err(|error| taken("--metrics", address, error))
        });
        if let Some(address) = self.live.filter(|address| !address.ip().is_loopback() && !self.live_public) {
            return Err(Error::because(format!(
                "other machines reach {address}, and whoever has the page can stop the run\nhelp: take 127.0.0.1:{}, or \
                 add --live-public",
                address.port()
            )));
        }
        let live = self.live.map(|address| {
            Live::listen(address, frame(), stop.clone()).map_err(|error| taken("--live", address, error))
        });
        let watchers = Watchers { metrics: metrics.transpose()?, live: live.transpose()? };
        if let Some(metrics) = &watchers.metrics {
            complain(&format!("note: figures for Prometheus at {}", metrics.url()));
        }
        if let Some(live) = &watchers.live {
            complain(&format!("note: watch it at {}", live.url()));
        }
        Ok(watchers)
    }
}

impl Watchers {
    /// Whether anybody wants results before the end.
    pub(super) fn want_results(&self) -> bool {
        self.metrics.is_some() || self.live.is_some()
    }

    /// Tells them how a run goes, after those that are over.
    pub(super) fn show(&self, over: &[RunResult], so_far: &RunResult) {
        if let Some(metrics) = &self.metrics {
            metrics.show(text_of(so_far, false));
        }
        if let Some(live) = self.live.as_ref().filter(|live| live.is_watched()) {
            live.show(page(over, so_far));
        }
    }

    /// Tells them how a run ended. Where another run follows, nobody has to read this.
    pub(super) fn show_end(&self, over: &[RunResult], result: &RunResult, is_last: bool, stop: &AtomicBool) {
        if let Some(live) = &self.live {
            let page = page(over, result);
            match is_last {
                true => live.show_last(page),
                false => live.show(page),
            }
        }
        if let Some(metrics) = &self.metrics {
            let text = text_of(result, true);
            match is_last {
                true => metrics.show_last(text, stop),
                false => metrics.show(text),
            }
        }
    }
}

fn page(over: &[RunResult], latest: &RunResult) -> String {
    let all: Vec<RunResult> = over.iter().chain([latest]).cloned().collect();
    html(&of_runs(&all))
}

fn text_of(result: &RunResult, is_over: bool) -> String {
    secrets().without_values(&openmetrics(result, is_over)).into_owned()
}
