//! What clients receive: the first time, again, late, in another order, and without a stamp.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::{BACK, Ledger, MOST_SIGNS, MOST_UNKNOWN};
use crate::audit::events::{ANY_EVENT, Key, Moment, SentMessage};
use crate::audit::fault::{Fault, Leak};

/// The most second receipts of a message that wait for what is to be known of it.
const MOST_DOUBLED: usize = 1 << 12;

impl Ledger {
    /// A client received a stamped message in a namespace.
    pub fn received(&mut self, client: u32, namespace: &str, key: Key, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.findings.receipts += 1;
        self.latest = self.latest.max(at);
        if key.sender >= self.clients {
            return self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
        }
        let course = self.senders.of(key.sender);
        if key.sequence < course.judged {
            return self.received_late(seat, key, at);
        }
        let entry = match self.open.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if self.unknown.len() >= MOST_UNKNOWN => {
                return self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
            }
            Entry::Vacant(place) => {
                self.unknown.push((at, key));
                place.insert(Box::default())
            }
        };
        if entry.receipts.len() == 0 {
            self.firsts.push(key);
            if entry.awaited.is_some() && entry.first_elsewhere.is_none() {
                self.passed.push(key);
            }
        }
        if !entry.receipts.put(seat, at) {
            let message = entry.message.clone();
            let may_be_right = message.as_ref().is_none_or(|message| message.has_history);
            if may_be_right && entry.doubled.len() < MOST_DOUBLED {
                return entry.doubled.push((seat, at));
            }
            return self.accuse((Fault::Duplicate, None), seat, key, message, Some(at), None);
        }
        if self.membership.needs_signs(seat) && self.signs.len() < MOST_SIGNS {
            self.signs.push((key, seat, at));
        }
        if key.sequence >= course.seen {
            course.seen = key.sequence + 1;
        } else {
            let seen = course.seen;
            self.look_at_the_order((seat, at), key, seen);
        }
    }

    /// A message came with its stamp.
    pub(super) fn note_stamp(&mut self, heard_as: u16, at: Moment) {
        if heard_as != ANY_EVENT && !self.has_come_stamped(heard_as, at) {
            self.handle_stamp((heard_as, at));
            self.fresh_stamps.push((heard_as, at));
        }
    }

    fn has_come_stamped(&self, heard_as: u16, by: Moment) -> bool {
        self.stamps.get(usize::from(heard_as)).copied().flatten().is_some_and(|first| first <= by)
    }

    /// A client received an event as which messages arrive, and no stamp was in it.
    pub(super) fn unstamped(&mut self, client: u32, namespace: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.seat_mut(seat).unstamped = Some(at);
    }

    /// Whether a seat may have got a message without its stamp: since it was sent, the seat got events that carried none, and
    /// none of this name had come to anybody with one by a time.
    pub(super) fn may_have_lost_its_stamp(&self, seat: u32, message: &SentMessage, by: Moment) -> bool {
        let unstamped = self.membership.seats()[seat as usize].unstamped;
        message.heard_as != ANY_EVENT
            && !self.has_come_stamped(message.heard_as, by)
            && unstamped.is_some_and(|at| at >= message.sent)
    }

    /// Accuses of what was received again before it was known what to make of it.
    pub(super) fn accuse_doubled(&mut self, key: Key, message: Option<&Arc<SentMessage>>) {
        let Some(entry) = self.open.get_mut(&key) else { return };
        for (seat, at) in std::mem::take(&mut entry.doubled) {
            if !message.is_some_and(|message| self.membership.is_shown_again(seat, message, at)) {
                self.accuse((Fault::Duplicate, None), seat, key, message.cloned(), Some(at), None);
            }
        }
    }

    fn received_late(&mut self, seat: u32, key: Key, at: Moment) {
        let owed = &mut self.membership.seat_mut(seat).owed;
        if let Some(index) = owed.iter().position(|(of, _)| *of == key) {
            let (_, message) = owed.remove(index);
            self.expect(&message, self.membership.node(seat, at));
        } else if let Some((from, to, is_disturbed)) = self.missing.remove(&(seat, key)) {
            let place = &self.membership.seats()[seat as usize];
            self.findings.forgive(place.client, key);
            self.findings.nodes.forgive((from, to), &self.membership.namespace(place));
            if is_disturbed {
                let missing = &mut self.findings.disturbed.faults[Fault::Missing as usize];
                *missing = missing.saturating_sub(1);
            }
        } else {
            self.findings.late += 1;
        }
    }

    /// Others have received later messages of the sender, before the one `seen`: whether this seat has, too.
    fn look_at_the_order(&mut self, (seat, at): (u32, Moment), key: Key, seen: u64) {
        let later = (key.sequence + 1)..seen.min(key.sequence + BACK);
        let has = |sequence: &u64| {
            let key = Key { sequence: *sequence, ..key };
            self.open.get(&key).is_some_and(|entry| entry.receipts.has(seat))
        };
        let by = later.into_iter().find(has);
        if let (Some(by), Some(entry)) = (by, self.open.get_mut(&key)) {
            entry.overtaken.push((seat, at, by));
        }
    }
}
