//! A server under the suite, with its nodes: started again when it dies, and who was being played then.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::report::result::TargetInfo;
use crate::runner::ServerConfig;
use crate::runner::server::{Focus, Place};
use crate::scenario::ServiceRule;
use crate::server::{Node, Nodes, NotReady, Running, Target, exception};
use crate::transport::MAX_MESSAGE;

/// How often a server that died while cases were played side by side is started again.
const MOST_RESTARTS: u32 = 3;

/// After this number of deaths it is not started again.
const MOST_DEATHS: usize = 12;

/// Many cases are played at a time, so that none takes messages much larger than the server does: four times its
/// `maxPayload`, and at least this, in bytes.
const LEAST_LIMIT: u64 = 4 << 20;

/// How long the end of a process may take to be known after its connections broke.
const LAST_BREATH: Duration = Duration::from_millis(300);

const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A server under the suite, with all its nodes.
pub(super) struct Host<'a> {
    server: &'a ServerConfig,
    /// To which nodes its clients connect.
    focus: Focus,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
}

struct State {
    nodes: Nodes,
    life: Life,
    restarts: u32,
    /// The cases that are being played.
    playing: BTreeSet<String>,
    deaths: Vec<Death>,
}

/// One end of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Death {
    /// How it ended, and what became of it, in words.
    pub(super) how: String,
    /// The line of its output that tells why.
    pub(super) exception: Option<String>,
    /// The cases that were played then.
    pub(super) playing: Vec<String>,
}

impl Death {
    /// As a sentence without its full stop.
    pub(super) fn sentence(&self) -> String {
        match &self.exception {
            Some(line) => format!("{}, and printed: {line}", self.how),
            None => self.how.clone(),
        }
    }
}

/// One life of the server, from its start to the death of a node.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// The names of the nodes to which clients connect.
    pub(super) names: Vec<String>,
    /// Where each of these is reached.
    pub(super) places: Vec<Place>,
    /// How often a node died before.
    deaths: usize,
}

/// What happened to the server while a case was played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It lived.
    Lived,
    /// It died, and is there again.
    Died,
    /// It died for good.
    Lost,
}

impl<'a> Host<'a> {
    /// Starts the server and the services that it needs, or finds it.
    ///
    /// # Errors
    /// Why it is not there, or a sentence about a source address that does not fit.
    pub(super) fn start(
        server: &'a ServerConfig,
        focus: Focus,
        targets: Vec<(String, Target)>,
        services: &[ServiceRule],
        stop: &Arc<AtomicBool>,
    ) -> Result<Host<'a>, Start> {
        let starting = server.starting(vec![server.manner()], stop.clone());
        let nodes = Nodes::start(targets, &[], services, &starting).map_err(Start::NotReady)?;
        let life = Life::of(server, focus, &nodes, 0).map_err(Start::Wrong)?;
        let state = State { nodes, life, restarts: 0, playing: BTreeSet::new(), deaths: Vec::new() };
        Ok(Host { server, focus, stop: stop.clone(), state: Mutex::new(state) })
    }

    /// A case begins.
    pub(super) fn enter(&self, label: &str) -> Life {
        let mut state = self.state();
        self.look(&mut state);
        state.playing.insert(label.to_owned());
        state.life.clone()
    }

    /// A case is over. `broken` when connections broke in it, so that the server may be dying.
    pub(super) fn leave(&self, label: &str, life: &Life, broken: bool) -> Fate {
        let deadline = Instant::now() + if broken { LAST_BREATH } else { Duration::ZERO };
        loop {
            let mut state = self.state();
            self.look(&mut state);
            if state.deaths.len() == life.deaths && Instant::now() < deadline {
                drop(state);
                thread::sleep(LOOK_AGAIN);
                continue;
            }
            state.playing.remove(label);
            return match state.deaths.len() > life.deaths {
                false => Fate::Lived,
                true if state.deaths.len() > state.life.deaths => Fate::Lost,
                true => Fate::Died,
            };
        }
    }

    /// A look at the server that runs: at the first of the nodes to which clients connect.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Running) -> T) -> T {
        let state = self.state();
        let first = state.nodes.iter().nth(self.focus.places(state.nodes.len()).start);
        look(first.map_or_else(|| state.nodes.first(), |node| &node.running))
    }

    /// To how many nodes clients connect.
    pub(super) fn nodes(&self) -> usize {
        self.state().life.places.len()
    }

    /// What a result says of it.
    pub(super) fn info(&self) -> TargetInfo {
        match self.focus {
            Focus::Node(_) => self.with(TargetInfo::of),
            Focus::Single | Focus::All => TargetInfo::of_nodes(&self.state().nodes),
        }
    }

    /// A case is going to be played alone: it may cost the server its life once more. False when the server is gone for
    /// good.
    pub(super) fn spare(&self) -> bool {
        let mut state = self.state();
        state.restarts = state.restarts.min(MOST_RESTARTS - 1);
        state.deaths.len() == state.life.deaths
    }

    /// How it ended last, as a sentence without its full stop.
    pub(super) fn last_death(&self) -> String {
        self.state().deaths.last().map(Death::sentence).unwrap_or_default()
    }

    /// Stops it. Gives its deaths.
    pub(super) fn stop(self) -> Vec<Death> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.nodes.stop();
        state.deaths
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a node again if it has died.
    fn look(&self, state: &mut State) {
        if state.deaths.len() > state.life.deaths {
            return;
        }
        let ended = state.nodes.iter().map(|node| node.running.ended()).enumerate();
        let Some((place, ended)) = ended.into_iter().find_map(|(place, ended)| Some((place, ended?))) else {
            return;
        };
        let mut how = ended.sentence();
        let starting = self.server.starting(vec![self.server.manner()], self.stop.clone());
        let deaths = state.deaths.len() + 1;
        if state.restarts == MOST_RESTARTS || deaths == MOST_DEATHS {
            how.push_str("; it was not started again, because it has ended too often");
        } else if !self.stop.load(Ordering::Relaxed) {
            state.restarts += 1;
            let started = state.nodes.renew(place, &starting).map_err(|why| why.sentence());
            match started.and_then(|()| Life::of(self.server, self.focus, &state.nodes, deaths)) {
                Ok(life) => state.life = life,
                Err(why) => how.push_str(&format!("; {why}")),
            }
        }
        let exception = exception(ended.tail());
        let playing = state.playing.iter().cloned().collect();
        state.deaths.push(Death { how, exception, playing });
    }
}

/// Why no server is there.
#[derive(Debug)]
pub(super) enum Start {
    NotReady(NotReady),
    Wrong(String),
}

impl Life {
    fn of(server: &ServerConfig, focus: Focus, nodes: &Nodes, deaths: usize) -> Result<Life, String> {
        let limit = |node: &Node| node.running.found().max_payload.unwrap_or(0).saturating_mul(4);
        let mut places = server.places(nodes)?;
        for (place, node) in places.iter_mut().zip(nodes.iter()) {
            place.peer.limit = limit(node).clamp(LEAST_LIMIT, MAX_MESSAGE);
        }
        let looked_at = focus.places(nodes.len());
        let names = nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        Ok(Life { names: names[looked_at.clone()].to_vec(), places: places[looked_at].to_vec(), deaths })
    }

    /// The same for clients that connect to the first node alone.
    pub(super) fn at_first(mut self) -> Life {
        self.names.truncate(1);
        self.places.truncate(1);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_told_with_the_line_that_says_why() {
        let death = |exception| Death { how: "it ended".to_owned(), exception, playing: Vec::new() };
        assert_eq!(death(None).sentence(), "it ended");
        assert_eq!(death(Some("KeyError: 1".to_owned())).sentence(), "it ended, and printed: KeyError: 1");
    }
}
