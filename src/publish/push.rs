//! The figures of a run for a collector: each is pushed by a thread of its own, and what fails is counted.
//!
//! A body that waits while the collector takes its time is replaced by the next one, but not the last one of a run.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;

use super::Shared;
use crate::measure::format::printable;
use crate::server::{Answer, Endpoint, Exchange, Request, exchange};

/// The time from one push to the next: 5 s, in which figures that are made once a second may come a little early.
const INTERVAL: Duration = Duration::from_millis(4_700);

/// How long a push may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the end of everything waits for what is not pushed yet.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How long it waits where the run was interrupted.
const SHORTEST_WAIT: Duration = Duration::from_secs(2);

/// A run does not wait longer than this at a time without looking whether it is to be stopped.
const LOOK: Duration = Duration::from_millis(100);

/// The last figures of a run are tried once more after this time.
const PAUSE: Duration = Duration::from_secs(1);

/// So many bodies wait at most.
const MOST_WAITING: usize = 64;

/// As much of what a collector says as is told.
const LONGEST_REASON: usize = 200;

/// Reads what the collector says that took a part only: how many values it refused, and why.
type Refused = fn(&[u8]) -> Option<(u64, String)>;

/// Where the figures go.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: Vec<(String, String)>,
    /// For `https`. None trusts the public authorities.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What a body is.
    pub(crate) kind: &'static str,
    pub(crate) refused: Refused,
}

/// A collector that gets figures until this is dropped.
pub(crate) struct Push {
    shared: Arc<Shared<State>>,
    name: String,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Body>,
    /// Whether one is under way.
    is_busy: bool,
    is_over: bool,
    /// When a body was put in place.
    last: Option<Instant>,
    pushes: u64,
    failed: u64,
    /// Why the latest failed that did.
    why: String,
    /// Whether the last figures of a run were lost.
    has_lost_end: bool,
}

struct Body {
    bytes: Vec<u8>,
    /// Whether it holds the last figures of a run.
    is_end: bool,
}

impl Push {
    /// Begins to wait for figures.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn begin(collector: Collector) -> io::Result<Push> {
        let (shared, name) = (Arc::new(Shared::default()), collector.endpoint.to_string());
        let pushing = shared.clone();
        thread::Builder::new().name("push".into()).spawn(move || push_all(&collector, &pushing))?;
        Ok(Push { shared, name })
    }

    /// Where the figures go, without what is secret.
    pub(crate) fn url(&self) -> &str {
        &self.name
    }

    /// Whether it is time for another push.
    pub(crate) fn is_due(&self) -> bool {
        self.shared.lock().last.is_none_or(|last| last.elapsed() >= INTERVAL)
    }

    /// Pushes how a run goes.
    pub(crate) fn push(&self, bytes: Vec<u8>) {
        self.put(Body { bytes, is_end: false });
    }

    /// Pushes how a run ended.
    pub(crate) fn push_end(&self, bytes: Vec<u8>) {
        self.put(Body { bytes, is_end: true });
    }

    fn put(&self, body: Body) {
        let mut state = self.shared.lock();
        if state.waiting.back().is_some_and(|last| !last.is_end) {
            state.waiting.pop_back();
        }
        if state.waiting.len() == MOST_WAITING {
            state.waiting.pop_front();
            state.lose("it took too long");
        }
        state.waiting.push_back(body);
        state.last = Some(Instant::now());
        self.shared.tell();
    }

    /// Waits until all is pushed, or for as long as it is worth. Gives what went wrong, as a sentence.
    pub(crate) fn finish(&self, stop: &AtomicBool) -> Option<String> {
        let begun = Instant::now();
        let mut state = self.shared.lock();
        let patience = || if stop.load(Ordering::Relaxed) { SHORTEST_WAIT } else { LONGEST_WAIT };
        while (state.is_busy || !state.waiting.is_empty()) && begun.elapsed() < patience() {
            state = self.shared.wait(state, LOOK);
        }
        let left = state.waiting.len() + usize::from(state.is_busy);
        (0..left).for_each(|_| state.lose("it did not answer in time"));
        state.waiting.clear();
        state.told(&self.name)
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        // The thread may be in the middle of a push, and nobody waits for that.
        self.shared.lock().is_over = true;
        self.shared.tell();
    }
}

impl State {
    /// The last figures of a run did not arrive.
    fn lose(&mut self, why: &str) {
        self.pushes += 1;
        self.failed += 1;
        why.clone_into(&mut self.why);
        self.has_lost_end = true;
    }

    /// What went wrong. None where nothing did.
    fn told(&self, name: &str) -> Option<String> {
        let State { pushes, failed, why, has_lost_end, .. } = self;
        let many = match (failed, pushes) {
            (0, _) => return None,
            (1, 1) => "the only push".to_owned(),
            (failed, pushes) => format!("{failed} of {pushes} pushes"),
        };
        let end = if *has_lost_end { ", and the last figures are not there" } else { "" };
        Some(format!("{many} of figures to {name} failed{end}: {why}"))
    }
}

fn push_all(collector: &Collector, shared: &Shared<State>) {
    let mut state = shared.lock();
    loop {
        let Some(body) = state.waiting.pop_front() else {
            if state.is_over {
                return;
            }
            state = shared.wait(state, INTERVAL);
            continue;
        };
        state.is_busy = true;
        drop(state);
        let first = push(collector, &body.bytes);
        let second = (body.is_end && first.is_err()).then(|| {
            thread::park_timeout(PAUSE);
            push(collector, &body.bytes)
        });
        state = shared.lock();
        state.is_busy = false;
        state.has_lost_end |= body.is_end && second.as_ref().is_some_and(Result::is_err);
        for outcome in [Some(first), second].into_iter().flatten() {
            state.pushes += 1;
            if let Err(why) = outcome {
                state.failed += 1;
                state.why = why;
            }
        }
        shared.tell();
    }
}

/// Hands a body over.
///
/// # Errors
/// Why the collector does not have it, as a fragment of a sentence.
fn push(collector: &Collector, body: &[u8]) -> Result<(), String> {
    let Collector { endpoint, headers, tls, kind, refused } = collector;
    let deadline = Instant::now() + PATIENCE;
    let target = match &endpoint.query {
        Some(query) => format!("{}?{query}", endpoint.path),
        None => endpoint.path.clone(),
    };
    let addresses = endpoint.addresses().map_err(|error| error.to_string())?;
    let mut why = "its name has no address".to_owned();
    for address in addresses {
        let to = Exchange {
            endpoint,
            address,
            tunnel: None,
            tls: tls.as_ref(),
            deadline,
            headers,
            target: &target,
        };
        match exchange(&to, &Request::Post { kind, body }) {
            Ok(answer) => return judge(answer, *refused),
            Err(broken) => why = broken.to_string(),
        }
    }
    Err(why)
}

fn judge(answer: Answer, refused: Refused) -> Result<(), String> {
    let response = match answer {
        Answer::Http(response) => response,
        Answer::NotHttp { .. } => return Err("it does not speak HTTP".to_owned()),
        Answer::Closed(_) => return Err("it closed the connection without an answer".to_owned()),
    };
    let brief = |text: &str| printable(text).chars().take(LONGEST_REASON).collect::<String>();
    match response.head.status {
        200..300 => match refused(&response.body) {
            Some((count, why)) => Err(format!("it refused {count} values: {}", brief(&why))),
            None => Ok(()),
        },
        status => Err(format!("HTTP status {status} {}", brief(&response.head.reason)).trim_end().to_owned()),
    }
}
