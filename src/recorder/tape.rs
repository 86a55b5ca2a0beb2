//! What is recorded, and when: shared by the threads of all connections.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::importer::{Content, Recorded, Request};

/// The recording under way.
#[derive(Clone)]
pub(super) struct Tape {
    recorded: Arc<Mutex<Recorded>>,
    begin: Instant,
}

/// Where what belongs to one request is recorded.
#[derive(Clone)]
pub(super) struct Track {
    tape: Tape,
    exchange: usize,
}

impl Tape {
    pub(super) fn begin() -> Tape {
        Tape { recorded: Arc::default(), begin: Instant::now() }
    }

    /// How long the recording has gone on, in seconds.
    pub(super) fn now(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// Begins what belongs to a request of Engine.IO. None where there is no room for it.
    pub(super) fn track<'h>(
        &self,
        url: &str,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) -> Option<Track> {
        let now = self.now();
        let exchange = self.with(|recorded| {
            let exchange = recorded.begin(url)?;
            recorded.comes_with(exchange, now, headers);
            Some(exchange)
        })?;
        Some(Track { tape: self.clone(), exchange })
    }

    /// Keeps a value by which a request was let in, so that it stands nowhere.
    pub(super) fn hide(&self, header: &str) {
        self.with(|recorded| recorded.hide(header));
    }

    /// Keeps a request of a page.
    pub(super) fn visit(&self, request: Request) {
        self.with(|recorded| recorded.visit(request));
    }

    /// How many connections of Engine.IO have begun so far.
    pub(super) fn tabs(&self) -> usize {
        self.with(|recorded| recorded.sessions())
    }

    /// All that was recorded.
    pub(super) fn take(&self) -> Recorded {
        self.with(mem::take)
    }

    fn with<T>(&self, does: impl FnOnce(&mut Recorded) -> T) -> T {
        does(&mut self.recorded.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Track {
    /// How long the recording has gone on, in seconds.
    pub(super) fn now(&self) -> f64 {
        self.tape.now()
    }

    /// Records something that was said at that time.
    pub(super) fn say(&self, at: f64, is_sent: bool, content: Content) {
        self.tape.with(|recorded| recorded.say(self.exchange, at, is_sent, content));
    }

    /// Something is missing from here on.
    pub(super) fn cut(&self) {
        self.tape.with(|recorded| recorded.is_cut = true);
    }
}
