//! The exchange between ledgers: each judges the clients of its own, and together they find what one ledger of all clients
//! would have found.
//!
//! For that a ledger has to know of the other clients: the messages that they sent, the rooms that they asked for, when the
//! first of them received a message, and when connections ended over which they had sent some. What an [`Auditor`] tells another is a [`Batch`] of plain data. Batches of one
//! auditor have to arrive in their order; those of different auditors may arrive in any, and as late as they like: a message
//! is judged when its window is over *and* everybody has told what there was to tell until then.
//!
//! Pure: whoever runs the auditors carries the batches ([`Auditor::poll_batches`], [`Auditor::handle`]), ten times a second or
//! so. Nothing is told for a receipt, but for the first of each message.

use std::sync::Arc;

use super::events::{AuditEvent, Moment, SentMessage};
use super::fanout::{Fanout, FanoutPart, Reached};
use super::findings::Findings;
use super::ledger::{FirstReceipt, Ledger};
use super::nodes::{Disturbances, Spread};
use super::rooms::AskedRoom;
use super::sender::ConnectionEnd;

/// The auditor that judges a client, of so many.
pub fn home(client: u32, auditors: usize) -> usize {
    client as usize % auditors
}

/// What one auditor tells another.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Who tells.
    pub from: usize,
    /// All that its clients did and saw before this time is told.
    pub until: Moment,
    /// Messages that its clients sent, and that are settled.
    pub messages: Vec<Arc<SentMessage>>,
    /// Rooms that they were the first to ask for.
    pub rooms: Vec<AskedRoom>,
    /// When the first of them received a message.
    pub firsts: Vec<FirstReceipt>,
    /// Connections of theirs that ended while messages were open.
    pub ends: Vec<ConnectionEnd>,
    /// When they received messages of the other's clients, all of them together.
    pub parts: Vec<FanoutPart>,
}

/// A ledger, and its part in the exchange.
#[derive(Debug)]
pub struct Auditor {
    index: usize,
    ledger: Ledger,
    /// For each auditor, before when it has told everything.
    heard: Vec<Moment>,
    fanout: Fanout,
    /// Messages that its clients sent and that are not told yet.
    messages: Vec<Arc<SentMessage>>,
    /// For each auditor, when messages of its clients were received here, as far as that is not told yet.
    parts: Vec<Vec<FanoutPart>>,
    reached: Vec<Reached>,
}

impl Auditor {
    /// One of several, for so many clients of the whole run. `terms`: a message that has not come when the window is over,
    /// counted from its being settled, is missing; and what is promised between nodes.
    pub fn new(index: usize, auditors: usize, clients: u32, terms: (Moment, Spread)) -> Auditor {
        Auditor {
            index,
            ledger: Ledger::new(clients, terms),
            // From itself it has nothing to hear.
            heard: (0..auditors).map(|of| if of == index { Moment::MAX } else { Moment::ZERO }).collect(),
            fanout: Fanout::new(auditors),
            messages: Vec::new(),
            parts: vec![Vec::new(); auditors],
            reached: Vec::new(),
        }
    }

    /// Takes what one of its clients did or saw, in the order of time.
    pub fn record(&mut self, client: u32, at: Moment, event: AuditEvent<'_>) {
        self.messages.extend(self.ledger.record(client, at, event));
    }

    /// What the other auditors have to know, for each of them. Nothing may be recorded any more that happened before `now`.
    pub fn poll_batches(&mut self, now: Moment) -> Vec<(usize, Batch)> {
        let messages = std::mem::take(&mut self.messages);
        let (rooms, firsts) = (self.ledger.take_rooms(), self.ledger.take_firsts());
        let ends = self.ledger.take_ends();
        let batch = Batch { from: self.index, until: now, messages, rooms, firsts, ends, parts: Vec::new() };
        let others = (0..self.heard.len()).filter(|other| *other != self.index);
        let told =
            |other: usize| (other, Batch { parts: std::mem::take(&mut self.parts[other]), ..batch.clone() });
        others.map(told).collect()
    }

    /// Takes what another auditor tells.
    pub fn handle(&mut self, batch: Batch) {
        let Batch { from, until, messages, rooms, firsts, ends, parts } = batch;
        rooms.into_iter().for_each(|room| self.ledger.handle_room(room));
        firsts.into_iter().for_each(|first| self.ledger.handle_first(first));
        messages.into_iter().for_each(|message| self.ledger.handle_message(message));
        ends.into_iter().for_each(|end| self.ledger.handle_end(end));
        self.reached.extend(parts.into_iter().filter_map(|part| self.fanout.add(part)));
        self.heard[from] = self.heard[from].max(until);
    }

    /// Tells when the server was disturbed on purpose, all of it.
    pub fn disturb(&mut self, disturbances: Disturbances) {
        self.ledger.disturbances = disturbances;
    }

    /// Judges what is due, as far as the others have told what it takes.
    pub fn advance(&mut self, now: Moment) {
        self.ledger.advance(now, self.known());
        self.sort_parts();
    }

    /// How long messages took whose senders are its clients, since this was asked last.
    pub fn poll_reached(&mut self) -> Vec<Reached> {
        std::mem::take(&mut self.reached)
    }

    /// Whether some client must still receive something and can.
    pub fn is_waiting(&mut self, now: Moment) -> bool {
        self.ledger.is_waiting(now)
    }

    /// What was found so far.
    pub fn findings(&self) -> &Findings {
        self.ledger.findings()
    }

    /// Before when everybody has told everything.
    pub(super) fn known(&self) -> Moment {
        self.heard.iter().copied().min().unwrap_or(Moment::MAX)
    }

    /// Puts what its clients received together with what others did, or aside for who does that.
    fn sort_parts(&mut self) {
        for part in self.ledger.take_fanout_parts() {
            match home(part.key.sender, self.parts.len()) {
                home if home == self.index => self.reached.extend(self.fanout.add(part)),
                home => self.parts[home].push(part),
            }
        }
    }
}

/// What all auditors found together, and how long the messages took of which nobody has told yet. Every batch that was polled
/// has to be handled before.
pub fn finish(mut auditors: Vec<Auditor>, now: Moment) -> (Findings, Vec<Reached>) {
    tell_each_other(&mut auditors, now);
    for auditor in &mut auditors {
        auditor.ledger.close_all(now);
        auditor.sort_parts();
    }
    tell_each_other(&mut auditors, now);
    let (mut findings, mut reached) = (Findings::default(), Vec::new());
    for auditor in auditors {
        reached.extend(auditor.reached);
        findings.merge(auditor.ledger.finish(now));
    }
    (findings, reached)
}

fn tell_each_other(auditors: &mut [Auditor], now: Moment) {
    for index in 0..auditors.len() {
        for (other, batch) in auditors[index].poll_batches(now) {
            auditors[other].handle(batch);
        }
    }
}
