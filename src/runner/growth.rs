//! How the highest load grows with the nodes of a server: the search, once with each number of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use super::search::{LoadSearch, status};
use super::secrets::clean;
use super::{Error, Event, Listener, RunConfig, SearchConfig, Selected, ServerConfig};
use crate::capacity::{GrowthResult, GrowthStep};
use crate::report::rfc3339;
use crate::units::micros;
use crate::verdict::Status;

/// The searches for the highest loads that a server bears with more and more nodes.
pub(super) struct GrowthSearch<'a> {
    /// What is searched for. Its longest time is that of all searches.
    pub config: &'a SearchConfig,
    /// The server with each number of nodes, from the smallest on.
    pub servers: &'a [ServerConfig],
    /// What is run.
    pub selected: &'a Selected,
    /// Set when the searches are to be stopped.
    pub stop: &'a Arc<AtomicBool>,
}

impl GrowthSearch<'_> {
    /// Searches. None if it was stopped before the first run ended.
    ///
    /// # Errors
    /// When nothing can be searched for, or no server was there.
    pub(super) fn run(&self, listener: &mut Listener<'_>) -> Result<Option<GrowthResult>, Error> {
        let (started, begun) = (rfc3339(SystemTime::now()), Instant::now());
        let so_far = |searches: &[GrowthStep]| {
            let seed = self.config.run.seed;
            (!searches.is_empty())
                .then(|| GrowthResult::of(started.clone(), micros(begun.elapsed()), searches.to_vec(), seed))
        };
        let mut searches: Vec<GrowthStep> = Vec::new();
        for server in self.servers {
            let left = self.config.run.max_time.map(|most| most.saturating_sub(begun.elapsed()));
            if self.stop.load(Ordering::Relaxed) || left.is_some_and(|left| left.is_zero()) {
                break;
            }
            let run = RunConfig { max_time: left, ..self.config.run.clone() };
            let config = SearchConfig { run, ..self.config.clone() };
            let nodes = server.nodes.len() as u16;
            listener(Event::NodesBegin { nodes })?;
            let search = LoadSearch { config: &config, server, selected: self.selected, stop: self.stop };
            let Some(search) = search.run(listener)? else { break };
            searches.push(GrowthStep { nodes, search });
            listener(Event::ResultSoFar(&|| {
                Some(Box::new(clean(so_far(&searches)?, &server.secrets).ok()?))
            }))?;
        }
        Ok(so_far(&searches))
    }
}

/// The status of all searches together, of which there should be so many.
pub(super) fn growth_status(result: &GrowthResult, wanted: usize, is_stopped: bool) -> Status {
    let mut statuses: Vec<Status> =
        result.searches.iter().map(|step| status(&step.search, is_stopped)).collect();
    if is_stopped {
        statuses.push(Status::Interrupted);
    } else if statuses.len() < wanted {
        statuses.push(Status::Invalid);
    }
    Status::gravest(&statuses)
}
