//! A server under the suite: started again when it dies, and who was being played then.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::runner::ServerConfig;
use crate::runner::server::Place;
use crate::server::{NotReady, Running, Target, exception};
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

/// A server under the suite.
pub(super) struct Host<'a> {
    server: &'a ServerConfig,
    target: Target,
    stop: Arc<AtomicBool>,
    state: Mutex<State>,
}

struct State {
    running: Running,
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

/// One life of the server, from its start to its death.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// Where it is reached.
    pub(super) place: Place,
    /// How often it died before.
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
    /// Starts the server, or finds it.
    ///
    /// # Errors
    /// Why it is not there, or a sentence about a source address that does not fit.
    pub(super) fn start(
        server: &'a ServerConfig,
        target: Target,
        stop: &Arc<AtomicBool>,
    ) -> Result<Host<'a>, Start> {
        let running =
            target.start(&server.starting(vec![server.manner()], stop.clone())).map_err(Start::NotReady)?;
        let life = Life::of(server, &running, 0).map_err(Start::Wrong)?;
        let state = State { running, life, restarts: 0, playing: BTreeSet::new(), deaths: Vec::new() };
        Ok(Host { server, target, stop: stop.clone(), state: Mutex::new(state) })
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

    /// A look at the server that runs.
    pub(super) fn with<T>(&self, look: impl FnOnce(&Running) -> T) -> T {
        look(&self.state().running)
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
        state.running.stop();
        state.deaths
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server again if it has died.
    fn look(&self, state: &mut State) {
        if state.deaths.len() > state.life.deaths {
            return;
        }
        let Some(ended) = state.running.ended() else { return };
        let mut how = ended.sentence();
        let starting = self.server.starting(vec![self.server.manner()], self.stop.clone());
        let deaths = state.deaths.len() + 1;
        if state.restarts == MOST_RESTARTS || deaths == MOST_DEATHS {
            how.push_str("; it was not started again, because it has ended too often");
        } else if !self.stop.load(Ordering::Relaxed) {
            state.restarts += 1;
            let started = self.target.start(&starting).map_err(|why| why.sentence());
            match started.and_then(|running| Ok((Life::of(self.server, &running, deaths)?, running))) {
                Ok((life, running)) => (state.life, state.running) = (life, running),
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
    fn of(server: &ServerConfig, running: &Running, deaths: usize) -> Result<Life, String> {
        let mut place = server.place(running)?;
        place.peer.limit =
            running.found().max_payload.unwrap_or(0).saturating_mul(4).clamp(LEAST_LIMIT, MAX_MESSAGE);
        Ok(Life { place, deaths })
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
