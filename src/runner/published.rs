//! What goes on, for those who watch over HTTP: the figures of a run for a scraper or a collector, and a report for a browser.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::collector::collector;
use super::secrets::clean_each;
use super::{Error, Event, Listener};
use crate::publish::{Live, Metrics, Push};
use crate::report::openmetrics::{CONTENT_TYPE, openmetrics};
use crate::report::otlp::Sender;
use crate::report::{Report, RunResult, frame, html, of_run, of_runs};
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

/// What those who watch one result have seen.
#[derive(Default)]
struct Seen {
    /// What was found with all numbers of nodes before.
    before: Option<Report>,
    /// What a search or a comparison has found so far.
    found: Option<Report>,
    /// The run that was seen last.
    last: Option<RunResult>,
}

impl Seen {
    /// The report so far, and below it the run that is played.
    fn report(&self, run: Option<&RunResult>) -> Report {
        let parts = [
            self.before.clone().map(|report| ("before", "Before", report)),
            self.found.clone().map(|report| ("found", "Found so far", report)),
            run.map(|run| ("now", "Played now", of_run(run))),
        ];
        let mut parts = parts.into_iter().flatten();
        let first = parts.next().map(|(.., report)| report).unwrap_or_default();
        parts.fold(first, |all, (id, heading, report)| all.and_below(id, heading, report))
    }
}

/// Runs what has one result, and shows each of its runs and what was found so far to those who watch. `stop` is what ends it, and
/// `report` the report of what was found in the end.
///
/// # Errors
/// When nobody can watch, and those of what is run.
pub(crate) fn published<T>(
    config: PublishConfig,
    stop: &Arc<AtomicBool>,
    listener: &mut Listener<'_>,
    run: impl FnOnce(&mut Listener<'_>) -> Result<T, Error>,
    report: impl FnOnce(&T) -> Option<Report>,
) -> Result<T, Error> {
    let published = Published::begin(config, stop, listener)?;
    let mut seen = Seen::default();
    let result = run(&mut |event| {
        published.watch(&event, &mut seen);
        listener(event)
    })?;
    let report = || report(&result).unwrap_or_else(|| seen.report(seen.last.as_ref()));
    published.end(seen.last.as_ref(), report, true, listener)?;
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

    /// Shows the run that is under way, of many that are played for one result, and what was found so far.
    fn watch(&self, event: &Event<'_>, seen: &mut Seen) {
        match event {
            Event::RunSoFar(so_far) if self.want_results() => {
                if let Ok(so_far) = clean_each(so_far(), &self.secrets) {
                    self.show_run(&so_far, || seen.report(Some(&so_far)));
                    seen.last = Some(so_far);
                }
            }
            Event::ResultSoFar(so_far) if self.live.is_some() => {
                if let Some(found) = so_far() {
                    seen.found = Some(found.report());
                    self.show_report(|| seen.report(None));
                }
            }
            Event::NodesBegin { .. } => seen.before = seen.found.take(),
            _ => {}
        }
    }

    /// Shows how a run goes, after those that are over.
    pub(super) fn show(&self, over: &[RunResult], so_far: &RunResult) {
        self.show_run(so_far, || of_runs(&over.iter().chain([so_far]).cloned().collect::<Vec<_>>()));
    }

    /// Shows how a run goes, and the report of which it is a part.
    fn show_run(&self, so_far: &RunResult, report: impl FnOnce() -> Report) {
        if let Some(metrics) = &self.metrics {
            metrics.show(self.figures(so_far, false));
        }
        if let Some((push, sender)) = self.push.as_ref().filter(|(push, _)| push.is_due()) {
            push.push(sender.body(so_far, false));
        }
        self.show_report(report);
    }

    fn show_report(&self, report: impl FnOnce() -> Report) {
        if let Some(live) = self.live.as_ref().filter(|live| live.is_watched()) {
            live.show(html(&report()));
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
        self.end(runs.last(), || of_runs(runs), is_last, listener)
    }

    /// The same of the run that was the last one, if there was any, and the report.
    fn end(
        &self,
        run: Option<&RunResult>,
        report: impl FnOnce() -> Report,
        is_last: bool,
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        if let (Some((push, sender)), Some(run)) = (&self.push, run) {
            push.push_end(sender.body(run, true));
        }
        if let Some(live) = &self.live {
            let page = html(&report());
            match is_last {
                true => live.show_last(page),
                false => live.show(page),
            }
        }
        if let (Some(metrics), Some(run)) = (&self.metrics, run) {
            let text = self.figures(run, true);
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
