//! The options with which others watch what runs.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::complain;
use super::secrets::secrets;
use crate::publish::Metrics;
use crate::report::RunResult;
use crate::report::openmetrics::{CONTENT_TYPE, openmetrics};
use crate::runner::Error;

/// Where the figures go while something runs.
#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    /// Serve the figures for Prometheus while it runs, as OpenMetrics at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

/// Those who watch.
pub(super) struct Watchers {
    metrics: Option<Metrics>,
}

impl WatchArgs {
    /// Begins to listen, and says where.
    ///
    /// # Errors
    /// When an address is taken.
    pub(super) fn begin(&self) -> Result<Watchers, Error> {
        let listen = |address: SocketAddr| {
            Metrics::listen(address, CONTENT_TYPE, "# EOF\n".to_owned()).map_err(|error| {
                Error::because(format!(
                    "failed to listen on {address}, for --metrics: {error}\nhelp: take another port; port 0 takes any \
                     that is free"
                ))
            })
        };
        let metrics = self.metrics.map(listen).transpose()?;
        metrics
            .iter()
            .for_each(|metrics| complain(&format!("note: figures for Prometheus at {}", metrics.url())));
        Ok(Watchers { metrics })
    }
}

impl Watchers {
    /// Whether anybody wants results before the end.
    pub(super) fn want_results(&self) -> bool {
        self.metrics.is_some()
    }

    /// Tells them how a run goes.
    pub(super) fn show(&self, so_far: &RunResult) {
        if let Some(metrics) = &self.metrics {
            metrics.show(text_of(so_far, false));
        }
    }

    /// Tells them how a run ended. Where another run follows, nobody has to read this.
    pub(super) fn show_end(&self, result: &RunResult, is_last: bool, stop: &AtomicBool) {
        if let Some(metrics) = &self.metrics {
            let text = text_of(result, true);
            match is_last {
                true => metrics.show_last(text, stop),
                false => metrics.show(text),
            }
        }
    }
}

fn text_of(result: &RunResult, is_over: bool) -> String {
    secrets().without_values(&openmetrics(result, is_over)).into_owned()
}
