//! What a worker writes down: its counts, and the ledger of the audit.
//!
//! A ledger judges the clients of its own worker, but has to know the messages of all. So workers tell each other, ten
//! times a second and whenever an act ends, what their clients sent; nothing is locked for a receipt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::audit::{Findings, Ledger, Mark, Message};
use crate::measure::Tally;
use crate::observe::{Counter, Deed, Failure, Metric, Observer, StepId, Who};

/// What one worker tells the others.
#[derive(Clone, Debug)]
enum News {
    /// A message of one of its clients is settled.
    Message(Arc<Message>),
    /// One of its clients was the first to ask for a room.
    Room(Mark),
}

/// Where workers leave their news for each other: a box for each.
#[derive(Debug)]
pub(super) struct Exchange(Vec<Mutex<Vec<News>>>);

impl Exchange {
    pub(super) fn new(workers: usize) -> Exchange {
        Exchange((0..workers).map(|_| Mutex::default()).collect())
    }

    fn of(&self, worker: usize) -> MutexGuard<'_, Vec<News>> {
        // A worker that broke off has left whole news behind.
        self.0[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The audit's part of a worker.
#[derive(Debug)]
pub(super) struct Audit {
    worker: usize,
    ledger: Ledger,
    sent: Vec<News>,
    exchange: Arc<Exchange>,
}

impl Audit {
    pub(super) fn new(worker: usize, clients: u32, window: Duration, exchange: Arc<Exchange>) -> Audit {
        Audit { worker, ledger: Ledger::new(clients, window), sent: Vec::new(), exchange }
    }

    /// Tells the other workers what they have to know.
    fn tell(&mut self) {
        self.sent.extend(self.ledger.take_marks().into_iter().map(News::Room));
        if self.sent.is_empty() {
            return;
        }
        for other in (0..self.exchange.0.len()).filter(|other| *other != self.worker) {
            self.exchange.of(other).extend(self.sent.iter().cloned());
        }
        self.sent.clear();
    }

    fn hear(&mut self) {
        let news = std::mem::take(&mut *self.exchange.of(self.worker));
        for news in news {
            match news {
                News::Message(message) => self.ledger.settled(message),
                News::Room(mark) => self.ledger.know(mark),
            }
        }
    }

    /// What was found, when all workers have told everything.
    pub(super) fn finish(mut self, now: Duration) -> Findings {
        self.hear();
        self.ledger.finish(now)
    }
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) tally: Tally,
    pub(super) audit: Option<Audit>,
}

impl Records {
    /// Tells the other workers what was sent, for an act that is over or a run that ends.
    pub(super) fn tell(&mut self) {
        if let Some(audit) = &mut self.audit {
            audit.tell();
        }
    }

    /// Tells and hears, and judges what is due.
    pub(super) fn advance(&mut self, now: Duration) {
        if let Some(audit) = &mut self.audit {
            audit.tell();
            audit.hear();
            audit.ledger.advance(now);
        }
    }

    /// Whether some client must still receive something.
    pub(super) fn is_waiting(&mut self, now: Duration) -> bool {
        self.audit.as_mut().is_some_and(|audit| audit.ledger.is_waiting(now))
    }
}

impl Observer for Records {
    fn latency(&mut self, metric: Metric, value: Duration) {
        self.tally.latency(metric, value);
    }

    fn count(&mut self, counter: Counter, by: u64) {
        self.tally.count(counter, by);
    }

    fn passed(&mut self, step: StepId, who: Who) {
        self.tally.passed(step, who);
    }

    fn failed(&mut self, step: StepId, who: Who, failure: Failure) {
        self.tally.failed(step, who, failure);
    }

    fn missed(&mut self, step: StepId, who: Who, counter: Counter, failure: Failure) {
        self.tally.missed(step, who, counter, failure);
    }

    fn wronged(&mut self, who: Who, counter: Counter, cause: &str, detail: &str) {
        self.tally.wronged(who, counter, cause, detail);
    }

    fn trouble(&mut self, who: Who, cause: &str, detail: &str) {
        self.tally.trouble(who, cause, detail);
    }

    fn witness(&mut self, who: Who, at: Duration, deed: Deed<'_>) {
        if let Some(audit) = &mut self.audit
            && let Some(message) = audit.ledger.witness(who.cast, at, deed)
        {
            audit.sent.push(News::Message(message));
        }
    }
}
