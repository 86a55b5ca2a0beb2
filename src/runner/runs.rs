//! Scenarios against one server, one after the other, shown to those who watch.

use std::cell::LazyCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::published::{PublishConfig, Published};
use super::secrets::clean_each;
use super::{Error, Event, Listener, RunConfig, ScenarioRun, Selected, ServerConfig};
use crate::report::RunResult;
use crate::server::Nodes;
use crate::verdict::Status;

/// Some scenarios, one server, and how to run each of them against it.
pub(crate) struct ScenarioRuns<'a> {
    /// How each is run.
    pub config: &'a RunConfig,
    /// Against which server.
    pub server: &'a ServerConfig,
    /// What is run.
    pub selected: &'a [Selected],
    /// Set when no more is to be run.
    pub stop: &'a Arc<AtomicBool>,
}

/// What came of some scenarios.
pub(crate) struct Runs {
    /// The results of those that were run.
    pub results: Vec<RunResult>,
    /// Why no more were run, where that was an error.
    pub ended_by: Option<Error>,
    /// Whether all were run.
    is_whole: bool,
}

impl ScenarioRuns<'_> {
    /// Runs them in turn. What they say is clean of secrets.
    ///
    /// # Errors
    /// When nobody can watch, or the secrets cannot be taken out of a result.
    pub(crate) fn run(&self, publish: PublishConfig, listener: &mut Listener<'_>) -> Result<Runs, Error> {
        let ScenarioRuns { config, server, stop, .. } = *self;
        let published = Published::begin(publish, stop, listener)?;
        let mut results = Vec::new();
        for (index, selected) in self.selected.iter().enumerate() {
            let run = ScenarioRun { config, server, selected, stop };
            let (result, running) = match self.play(&run, &results, &published, listener) {
                Ok(played) => played,
                Err(mut error) => {
                    let result = error.result.take();
                    results.extend(result.and_then(|result| clean_each(*result, &server.secrets).ok()));
                    return Ok(Runs { results, ended_by: Some(error), is_whole: false });
                }
            };
            results.push(clean_each(result, &server.secrets)?);
            listener(Event::ScenarioEnded(&results))?;
            let is_stopped = stop.load(Ordering::Relaxed);
            published.show_end(&results, is_stopped || index + 1 == self.selected.len(), listener)?;
            // Last, because a server may take its time, and whoever does not want to wait for it keeps the report.
            running.stop();
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        let is_whole = results.len() == self.selected.len();
        Ok(Runs { results, ended_by: None, is_whole })
    }

    /// Runs one of them, after those whose results there are.
    fn play(
        &self,
        run: &ScenarioRun<'_>,
        results: &[RunResult],
        published: &Published,
        listener: &mut Listener<'_>,
    ) -> Result<(RunResult, Nodes), Error> {
        let running = run.start()?;
        running.notes().into_iter().try_for_each(|note| listener(Event::Noted(note)))?;
        let result = run.run(&running, &mut |event| {
            if let Event::RunSoFar(so_far) = &event {
                let so_far = LazyCell::new(|| clean_each(so_far(), &self.server.secrets).ok());
                if published.want_results()
                    && let Some(so_far) = &*so_far
                {
                    published.show(results, so_far);
                }
                let all = || Some(results.iter().cloned().chain([(*so_far).clone()?]).collect());
                listener(Event::RunsSoFar(&all))?;
            }
            listener(event)
        })?;
        Ok((result, running))
    }
}

impl Runs {
    /// The status of all of them together.
    ///
    /// # Errors
    /// Why no more were run.
    pub(crate) fn status(self) -> Result<Status, Error> {
        match self.ended_by {
            Some(error) => Err(error),
            // Who stops us between two scenarios has not seen the second.
            None if !self.is_whole => Ok(Status::Interrupted),
            None => {
                let statuses: Vec<Status> = self.results.iter().map(|result| result.verdict.status).collect();
                Ok(Status::gravest(&statuses))
            }
        }
    }
}
