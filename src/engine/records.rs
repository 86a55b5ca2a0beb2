//! What a worker writes down: its counts, and the ledger of the audit.
//!
//! A ledger judges the clients of its own worker, but has to know the messages of all. So workers tell each other, ten
//! times a second and whenever an act ends, what their clients sent; nothing is locked for a receipt. When a message has
//! reached its receivers in a worker, that one tells the worker of its sender, which puts together how long it took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::audit::{Fanout, Findings, Ledger, Mark, Message, Reached, Span};
use crate::measure::Tally;
use crate::observe::{Counter, Deed, Failure, Metric, Observer, StepId, Who};

/// What one worker tells the others.
#[derive(Clone, Debug)]
enum News {
    /// A message of one of its clients is settled.
    Message(Arc<Message>),
    /// One of its clients was the first to ask for a room.
    Room(Mark),
    /// When its clients received a message of the other's.
    Span(Span),
}

/// Where workers leave their news for each other: a box for each.
#[derive(Debug)]
pub(super) struct Exchange(Vec<Mutex<Vec<News>>>);

impl Exchange {
    pub(super) fn new(workers: usize) -> Exchange {
        Exchange((0..workers).map(|_| Mutex::default()).collect())
    }

    /// The worker that plays a client.
    pub(super) fn home(&self, client: u32) -> usize {
        client as usize % self.0.len()
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
    fanout: Fanout,
}

impl Audit {
    pub(super) fn new(worker: usize, clients: u32, window: Duration, exchange: Arc<Exchange>) -> Audit {
        let (ledger, fanout) = (Ledger::new(clients, window), Fanout::new(exchange.0.len()));
        Audit { worker, ledger, sent: Vec::new(), exchange, fanout }
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

    /// Takes what other workers tell, and what is known by that of messages of its own clients.
    fn hear(&mut self, tally: &mut Tally) {
        let news = std::mem::take(&mut *self.exchange.of(self.worker));
        for news in news {
            match news {
                News::Message(message) => self.ledger.settled(message),
                News::Room(mark) => self.ledger.know(mark),
                News::Span(span) => reached(tally, self.fanout.add(span)),
            }
        }
    }

    /// Tells when messages were received to the workers of their senders.
    fn tell_spans(&mut self, tally: &mut Tally) {
        for span in self.ledger.take_spans() {
            match self.exchange.home(span.key.sender) {
                home if home == self.worker => reached(tally, self.fanout.add(span)),
                home => self.exchange.of(home).push(News::Span(span)),
            }
        }
    }
}

fn reached(tally: &mut Tally, reached: Option<Reached>) {
    if let Some(Reached { first, last }) = reached {
        tally.latency(Metric::FanoutFirst, first);
        tally.latency(Metric::FanoutLast, last);
    }
}

/// What was found, when all workers have told everything: the ledgers know nothing of each other's judgements.
pub(super) fn finish(audits: Vec<Audit>, tally: &mut Tally, now: Duration) -> Option<Findings> {
    let mut fanout = Fanout::new(audits.len());
    let mut findings: Option<Findings> = None;
    let mut spans = Vec::new();
    for mut audit in audits {
        audit.hear(tally);
        audit.ledger.close_all(now);
        spans.extend(audit.ledger.take_spans());
        fanout.take_over(audit.fanout);
        let found = audit.ledger.finish(now);
        match &mut findings {
            Some(findings) => findings.merge(found),
            None => findings = Some(found),
        }
    }
    spans.into_iter().for_each(|span| reached(tally, fanout.add(span)));
    findings.filter(|findings| findings.messages > 0 || !findings.is_clean())
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
            audit.hear(&mut self.tally);
            audit.ledger.advance(now);
            audit.tell_spans(&mut self.tally);
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
