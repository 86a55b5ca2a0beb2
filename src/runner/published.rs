//! Runs while they go on, for those who watch over HTTP: figures for a scraper or a collector, and the report for a browser.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Error;
use super::collector::collector;
use crate::publish::{Live, Metrics, Push};
use crate::report::openmetrics::{CONTENT_TYPE, openmetrics};
use crate::report::otlp::Sender;
use crate::report::{RunResult, frame, html, of_runs};
use crate::secrets::Secrets;

/// Where to listen, and what must not be shown.
pub(crate) struct PublishConfig {
    /// For the figures, as OpenMetrics.
    pub(crate) metrics: Option<SocketAddr>,
    /// The url of a collector that gets the figures by OTLP.
    pub(crate) otlp: Option<String>,
    /// For the report as a page that grows.
    pub(crate) live: Option<SocketAddr>,
    /// Whether other machines may have that page, and its button.
    pub(crate) live_public: bool,
    pub(crate) secrets: Secrets,
}

/// What those who watch see.
pub(crate) struct Published {
    metrics: Option<Metrics>,
    push: Option<(Push, Sender)>,
    live: Option<Live>,
    secrets: Secrets,
}

impl Published {
    /// Begins to listen. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on.
    pub(crate) fn begin(config: PublishConfig, stop: &Arc<AtomicBool>) -> Result<Published, Error> {
        let taken = |flag: &str, address: SocketAddr, error| {
            Error::because(format!(
                "failed to listen on {address}, for {flag}: {error}\nhelp: take another port; port 0 takes any that is free"
            ))
        };
        let metrics = config.metrics.map(|address| {
            Metrics::listen(address, CONTENT_TYPE, "# EOF\n".to_owned())
                .map_err(|error| taken("--metrics", address, error))
        });
        if let Some(address) =
            config.live.filter(|address| !address.ip().is_loopback() && !config.live_public)
        {
            return Err(Error::because(format!(
                "other machines reach {address}, and whoever has the page can stop the run\nhelp: take 127.0.0.1:{}, or \
                 add --live-public",
                address.port()
            )));
        }
        let push = config.otlp.map(|url| {
            let (collector, sender) = collector(&url, &|name| std::env::var(name).ok(), &config.secrets)?;
            let push = Push::begin(collector)
                .map_err(|error| Error::because(format!("failed to start a thread for --otlp: {error}")))?;
            Ok::<_, Error>((push, sender))
        });
        let live = config.live.map(|address| {
            Live::listen(address, frame(), stop.clone()).map_err(|error| taken("--live", address, error))
        });
        Ok(Published {
            metrics: metrics.transpose()?,
            push: push.transpose()?,
            live: live.transpose()?,
            secrets: config.secrets,
        })
    }

    /// Where it can be seen, in words.
    pub(crate) fn places(&self) -> Vec<String> {
        let metrics =
            self.metrics.iter().map(|metrics| format!("figures for Prometheus at {}", metrics.url()));
        let push = self.push.iter().map(|(push, _)| format!("figures go to {}", push.url()));
        metrics
            .chain(push)
            .chain(self.live.iter().map(|live| format!("watch it at {}", live.url())))
            .collect()
    }

    /// Whether anybody wants results before the end.
    pub(crate) fn want_results(&self) -> bool {
        self.metrics.is_some() || self.push.is_some() || self.live.is_some()
    }

    /// Shows how a run goes, after those that are over.
    pub(crate) fn show(&self, over: &[RunResult], so_far: &RunResult) {
        if let Some(metrics) = &self.metrics {
            metrics.show(self.figures(so_far, false));
        }
        if let Some((push, sender)) = self.push.as_ref().filter(|(push, _)| push.is_due()) {
            push.push(sender.body(so_far, false));
        }
        if let Some(live) = self.live.as_ref().filter(|live| live.is_watched()) {
            live.show(page(over, so_far));
        }
    }

    /// Shows how a run ended. Where another run follows, nobody has to read this. Gives what went wrong with it, once nothing
    /// follows, as a sentence.
    pub(crate) fn show_end(
        &self,
        over: &[RunResult],
        result: &RunResult,
        is_last: bool,
        stop: &AtomicBool,
    ) -> Option<String> {
        if let Some((push, sender)) = &self.push {
            push.push_end(sender.body(result, true));
        }
        if let Some(live) = &self.live {
            let page = page(over, result);
            match is_last {
                true => live.show_last(page),
                false => live.show(page),
            }
        }
        if let Some(metrics) = &self.metrics {
            let text = self.figures(result, true);
            match is_last {
                true => metrics.show_last(text, stop),
                false => metrics.show(text),
            }
        }
        self.push.as_ref().filter(|_| is_last)?.0.finish(stop)
    }

    fn figures(&self, result: &RunResult, is_over: bool) -> String {
        self.secrets.without_values(&openmetrics(result, is_over)).into_owned()
    }
}

fn page(over: &[RunResult], latest: &RunResult) -> String {
    let all: Vec<RunResult> = over.iter().chain([latest]).cloned().collect();
    html(&of_runs(&all))
}
