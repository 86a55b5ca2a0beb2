//! The search that a user asks for: at one server, or at one with each of some numbers of nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::growth::{GrowthSearch, growth_status};
use super::published::{PublishConfig, published};
use super::search::{LoadSearch, status};
use super::secrets::clean;
use super::single::Single;
use super::{Error, GivenServer, Listener, SearchConfig, Selected, ServerConfig};
use crate::report::Report;
use crate::verdict::Status;

/// A search for the highest load that a server bears.
pub(crate) struct HighestLoad<'a> {
    config: &'a SearchConfig,
    selected: &'a Selected,
    servers: Servers,
}

/// What a search has found, clean of secrets, and the status of it.
pub(crate) type HighestFound = (Box<dyn Single>, Status);

enum Servers {
    One(Box<ServerConfig>),
    /// One server with each number of nodes.
    Growing(Vec<ServerConfig>),
}

impl<'a> HighestLoad<'a> {
    /// The search that this configuration asks for. Starts nothing.
    ///
    /// # Errors
    /// When the server cannot be understood, or something is asked of several numbers of nodes that is about one.
    pub(crate) fn new(
        config: &'a SearchConfig,
        given: &GivenServer,
        selected: &'a Selected,
    ) -> Result<HighestLoad<'a>, Error> {
        let servers = match given.growing()? {
            None => Servers::One(Box::new(given.one()?)),
            Some(_) if config.plan_for.is_some() || config.recovery => {
                let flag = if config.recovery { "--recovery" } else { "--plan-for" };
                return Err(Error::because(format!(
                    "`{flag}` is about one number of nodes: give `--nodes` a number"
                )));
            }
            Some(servers) => Servers::Growing(servers),
        };
        Ok(HighestLoad { config, selected, servers })
    }

    /// Searches. None if it was stopped before anything is known.
    ///
    /// # Errors
    /// When nothing can be searched for, or no server was there.
    pub(crate) fn run(
        &self,
        publish: PublishConfig,
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<Option<HighestFound>, Error> {
        let HighestLoad { config, selected, .. } = *self;
        let is_stopped = || stop.load(Ordering::Relaxed);
        match &self.servers {
            Servers::One(server) => {
                let search = LoadSearch { config, server, selected, stop };
                let clean = |found| clean(found, &server.secrets);
                let search = |listener: &mut Listener<'_>| search.run(listener)?.map(clean).transpose();
                let Some(result) = published(publish, stop, listener, search, report)? else {
                    return Ok(None);
                };
                let status = status(&result, is_stopped());
                Ok(Some((Box::new(result), status)))
            }
            Servers::Growing(servers) => {
                let search = GrowthSearch { config, servers, selected, stop };
                let clean = |found| clean(found, &servers[0].secrets);
                let search = |listener: &mut Listener<'_>| search.run(listener)?.map(clean).transpose();
                let Some(result) = published(publish, stop, listener, search, report)? else {
                    return Ok(None);
                };
                let status = growth_status(&result, servers.len(), is_stopped());
                Ok(Some((Box::new(result), status)))
            }
        }
    }
}

fn report(found: &Option<impl Single>) -> Option<Report> {
    found.as_ref().map(Single::report)
}
