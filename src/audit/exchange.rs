//! The exchange between ledgers: each judges the clients of its own, and together they find what one ledger of all clients
//! would have found.
//!
//! For that a ledger has to know of the other clients: the messages that they sent, the rooms that they asked for, when the
//! first of them received a message, when connections ended over which they had sent some, when a sender was moved to another room,
//! and which events came with stamps.
//! What an [`Auditor`] tells another is a [`Batch`] of plain data. Batches of one auditor have to arrive in their order; those
//! of different auditors may arrive in any, and as late as they like: a message is judged when its window is over *and*
//! everybody has told what there was to tell until then.
//!
//! Almost all of it has to be known to everybody who judges. Only when messages were received is put together by one alone,
//! the auditor of the sender: whoever carries over a network takes that out as [`Parcel`]s, and carries each to where it goes.
//! Parcels may arrive in any order, before the batches beside which they were told or behind.
//!
//! Pure: whoever runs the auditors carries the batches ([`Auditor::poll_bulletin`], [`Auditor::handle`]), ten times a second or
//! so. Nothing is told for a receipt, but for the first of each message.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::events::{AuditEvent, Moment, SentMessage};
use super::fanout::{Fanout, FanoutPart, Quickest, Reached, quickest};
use super::findings::Findings;
use super::ledger::{FirstReceipt, Ledger};
use super::nodes::{Disturbances, Spread};
use super::rooms::AskedRoom;
use super::sender::{ConnectionEnd, SenderMove};

/// The auditor that judges a client, of so many.
pub fn home(client: u32, auditors: usize) -> usize {
    client as usize % auditors
}

/// What one auditor tells another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What they learned of moves while messages were open.
    pub moves: Vec<SenderMove>,
    /// Events that came to them with a stamp, and when the first of each.
    pub stamps: Vec<(u16, Moment)>,
    /// When they received messages of the other's clients, all of them together.
    pub parts: Vec<FanoutPart>,
}

/// When clients of one auditor received messages of another's, which alone has to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// Who tells.
    pub from: usize,
    /// Whom.
    pub to: usize,
    parts: Vec<FanoutPart>,
}

impl Parcel {
    /// How long the quickest of these messages seems to have taken.
    pub fn quickest(&self) -> Option<Quickest> {
        quickest(&self.parts)
    }
}

impl From<Parcel> for Batch {
    /// It tells of nothing else, and of no time that everything before it is told.
    fn from(Parcel { from, to: _, parts }: Parcel) -> Batch {
        Batch {
            from,
            until: Moment::ZERO,
            messages: Vec::new(),
            rooms: Vec::new(),
            firsts: Vec::new(),
            ends: Vec::new(),
            moves: Vec::new(),
            stamps: Vec::new(),
            parts,
        }
    }
}

/// What one auditor tells all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bulletin {
    /// What all of them have to know.
    common: Batch,
    /// What each of them alone has to know.
    parts: Vec<Vec<FanoutPart>>,
}

impl Bulletin {
    /// Who tells.
    pub fn from(&self) -> usize {
        self.common.from
    }

    /// Takes out what one of the others alone has to know, as far as there is something.
    pub fn take_parcels(&mut self) -> Vec<Parcel> {
        let from = self.common.from;
        let parcels = std::mem::take(&mut self.parts).into_iter().enumerate();
        let all = parcels.map(|(to, parts)| Parcel { from, to, parts });
        all.filter(|parcel| !parcel.parts.is_empty()).collect()
    }

    /// How long the quickest message of each of the others' clients seems to have taken, as far as some were received.
    pub fn quickest(&self) -> impl Iterator<Item = (usize, Quickest)> + '_ {
        self.parts.iter().enumerate().filter_map(|(of, parts)| Some((of, quickest(parts)?)))
    }

    /// It comes from a machine whose clock is not ours: what has to be added to its times, in nanoseconds, lies between these bounds.
    /// Whatever is concluded from its times has to hold for all that they may have been.
    pub fn blur(&mut self, (least, most): (i64, i64)) {
        let earliest = |time: Moment| moved(time, least);
        let latest = |time: Moment| moved(time, most);
        let Batch { until, messages, rooms, firsts, ends, moves, stamps, .. } = &mut self.common;
        *until = earliest(*until);
        for message in messages {
            let message = Arc::make_mut(message);
            message.blur = Moment::from_nanos(most.abs_diff(least) / 2);
            message.sent = earliest(message.sent);
            message.handled = message.handled.map(latest);
            message.settled = latest(message.settled);
        }
        rooms.iter_mut().for_each(|room| room.change(latest));
        firsts.iter_mut().for_each(|first| first.at = latest(first.at));
        stamps.iter_mut().for_each(|(_, first)| *first = latest(*first));
        // These are compared with the sending of the same client's messages.
        for end in ends {
            end.at = earliest(end.at);
            end.read = end.read.map(earliest);
        }
        for learned in moves {
            learned.since = earliest(learned.since);
            learned.at = earliest(learned.at);
        }
    }

    /// What it tells one of them.
    pub fn to(&self, auditor: usize) -> Batch {
        let parts = self.parts.get(auditor).cloned().unwrap_or_default();
        Batch { parts, ..self.common.clone() }
    }
}

/// A time and so many nanoseconds.
fn moved(time: Moment, by: i64) -> Moment {
    let length = Moment::from_nanos(by.unsigned_abs());
    if by < 0 { time.saturating_sub(length) } else { time.saturating_add(length) }
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

    /// What the other auditors have to know. Nothing may be recorded any more that happened before `now`.
    pub fn poll_bulletin(&mut self, now: Moment) -> Bulletin {
        let (heard, all) = (&self.heard, self.heard.len());
        let firsts = self.ledger.take_firsts(now, |sender| heard[home(sender, all)]);
        self.bulletin(now, firsts)
    }

    /// The same when its clients have left: it has nothing to wait for.
    pub fn poll_last_bulletin(&mut self, now: Moment) -> Bulletin {
        let firsts = self.ledger.take_firsts(now, |_| Moment::ZERO);
        self.bulletin(now, firsts)
    }

    fn bulletin(&mut self, now: Moment, firsts: Vec<FirstReceipt>) -> Bulletin {
        let (messages, rooms) = (std::mem::take(&mut self.messages), self.ledger.take_rooms());
        let (from, stamps, parts) = (self.index, self.ledger.take_stamps(), Vec::new());
        let (ends, moves) = (self.ledger.take_ends(), self.ledger.take_sender_moves());
        let common = Batch { from, until: now, messages, rooms, firsts, ends, moves, stamps, parts };
        Bulletin { common, parts: self.parts.iter_mut().map(std::mem::take).collect() }
    }

    /// Takes what another auditor tells.
    pub fn handle(&mut self, batch: Batch) {
        let Batch { from, until, messages, rooms, firsts, ends, moves, stamps, parts } = batch;
        rooms.into_iter().for_each(|room| self.ledger.handle_room(room));
        firsts.into_iter().for_each(|first| self.ledger.handle_first(first));
        messages.into_iter().for_each(|message| self.ledger.handle_message(message));
        ends.into_iter().for_each(|end| self.ledger.handle_end(end));
        moves.into_iter().for_each(|learned| self.ledger.handle_sender_move(learned));
        stamps.into_iter().for_each(|stamp| self.ledger.handle_stamp(stamp));
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

    /// Judges what is left. Its clients do and see nothing any more, and everybody has told all that its own did and saw.
    pub fn close(&mut self, now: Moment) {
        self.ledger.close_all(now);
        self.sort_parts();
    }

    /// What was found, and how long the messages took of which it has not told yet. Everybody has closed, and told.
    pub fn finish(self, now: Moment) -> (Findings, Vec<Reached>) {
        (self.ledger.finish(now), self.reached)
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

/// What all auditors found together, and how long the messages took of which nobody has told yet. Every bulletin that was
/// polled has to be handled before.
#[cfg(test)]
pub(crate) fn finish(mut auditors: Vec<Auditor>, now: Moment) -> (Findings, Vec<Reached>) {
    tell_each_other(&mut auditors, |auditor| auditor.poll_last_bulletin(now));
    auditors.iter_mut().for_each(|auditor| auditor.close(now));
    tell_each_other(&mut auditors, |auditor| auditor.poll_bulletin(now));
    assert!(
        auditors.iter().all(|auditor| auditor.fanout.is_empty()),
        "everybody has told of every message once"
    );
    let (mut findings, mut reached) = (Findings::default(), Vec::new());
    for auditor in auditors {
        let (found, last) = auditor.finish(now);
        reached.extend(last);
        findings.merge(found);
    }
    (findings, reached)
}

#[cfg(test)]
fn tell_each_other(auditors: &mut [Auditor], poll: impl Fn(&mut Auditor) -> Bulletin) {
    for index in 0..auditors.len() {
        let bulletin = poll(&mut auditors[index]);
        for other in (0..auditors.len()).filter(|other| *other != index) {
            auditors[other].handle(bulletin.to(other));
        }
    }
}
