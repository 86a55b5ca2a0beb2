//! Runs while they go on, for those who watch over HTTP: figures for a scraper or a collector, and the report for a browser.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::collector::collector;
use super::secrets::clean_each;
use super::{Error, Event, Listener};
use crate::publish::{Live, Metrics, Push};
use crate::report::openmetrics::{CONTENT_TYPE, openmetrics};
use crate::report::otlp::Sender;
use crate::report::{RunResult, frame, html, of_runs};
use crate::secrets::Secrets;

/// Where to listen, and what must not be shown.
#[derive(Default)]
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
pub(super) struct Published {
    metrics: Option<Metrics>,
    push: Option<(Push, Sender)>,
    live: Option<Live>,
    secrets: Secrets,
    stop: Arc<AtomicBool>,
}

/// Runs what has one result, and shows each of its runs to those who watch. `stop` is what ends it.
///
/// # Errors
/// When nobody can watch, and those of what is run.
pub(crate) fn published<T>(
    config: PublishConfig,
    stop: &Arc<AtomicBool>,
    listener: &mut Listener<'_>,
    run: impl FnOnce(&mut Listener<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let published = Published::begin(config, stop, listener)?;
    let mut last = None;
    let result = run(&mut |event| {
        if let Event::RunSoFar(so_far) = &event
            && published.want_results()
            && let Ok(so_far) = clean_each(so_far(), &published.secrets)
        {
            published.show(&[], &so_far);
            last = Some(so_far);
        }
        listener(event)
    })?;
    last.map_or(Ok(()), |last| published.show_end(&[last], true, listener))?;
    Ok(result)
}

impl Published {
    /// Begins to listen, and says where. `stop` is what ends the run.
    ///
    /// # Errors
    /// When an address is taken, or is none to be served on.
    pub(super) fn begin(
        config: PublishConfig,
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<Published, Error> {
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
        let published = Published {
            metrics: metrics.transpose()?,
            push: push.transpose()?,
            live: live.transpose()?,
            secrets: config.secrets,
            stop: stop.clone(),
        };
        published.places().iter().try_for_each(|place| listener(Event::Noted(place)))?;
        Ok(published)
    }

    /// Where it can be seen, in words.
    fn places(&self) -> Vec<String> {
        let metrics =
            self.metrics.iter().map(|metrics| format!("figures for Prometheus at {}", metrics.url()));
        let push = self.push.iter().map(|(push, _)| format!("figures go to {}", push.url()));
        metrics
            .chain(push)
            .chain(self.live.iter().map(|live| format!("watch it at {}", live.url())))
            .collect()
    }

    /// Whether anybody wants results before the end.
    pub(super) fn want_results(&self) -> bool {
        self.metrics.is_some() || self.push.is_some() || self.live.is_some()
    }

    /// Shows how a run goes, after those that are over.
    pub(super) fn show(&self, over: &[RunResult], so_far: &RunResult) {
        if let Some(metrics) = &self.metrics {
            metrics.show(self.figures(so_far, false));
        }
        if let Some((push, sender)) = self.push.as_ref().filter(|(push, _)| push.is_due()) {
            push.push(sender.body(so_far, false));
        }
        if let Some(live) = self.live.as_ref().filter(|live| live.is_watched()) {
            let all: Vec<RunResult> = over.iter().chain([so_far]).cloned().collect();
            live.show(html(&of_runs(&all)));
        }
    }

    /// Shows how the last of these runs ended, and reports what went wrong with showing, once nothing follows. Where another
    /// run follows, nobody has to read this.
    pub(super) fn show_end(
        &self,
        runs: &[RunResult],
        is_last: bool,
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        let Some(result) = runs.last() else { return Ok(()) };
        if let Some((push, sender)) = &self.push {
            push.push_end(sender.body(result, true));
        }
        if let Some(live) = &self.live {
            let page = html(&of_runs(runs));
            match is_last {
                true => live.show_last(page),
                false => live.show(page),
            }
        }
        if let Some(metrics) = &self.metrics {
            let text = self.figures(result, true);
            match is_last {
                true => metrics.show_last(text, &self.stop),
                false => metrics.show(text),
            }
        }
        let trouble = self.push.as_ref().filter(|_| is_last).and_then(|(push, _)| push.finish(&self.stop));
        trouble.map_or(Ok(()), |trouble| listener(Event::Warned(&format!("warning: {trouble}"))))
    }

    fn figures(&self, result: &RunResult, is_over: bool) -> String {
        self.secrets.without_values(&openmetrics(result, is_over)).into_owned()
    }
}
