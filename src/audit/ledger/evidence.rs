//! What shows that a message was handled, or that a client has joined, where the server does not say so.

use super::{BACK, Ledger};
use crate::audit::events::{Key, Moment, Order, SentMessage};
use crate::audit::proof::Proof;
use crate::audit::sender::Course;
use crate::audit::undecided::Undecided;

impl Ledger {
    /// What is known of a message by the time at which it is due.
    pub(super) fn proof(&self, message: &SentMessage, due: Moment) -> Proof {
        let entry = self.open.get(&message.key);
        let own = entry.and_then(|entry| entry.handled_before(message, due));
        let handled = own.or_else(|| self.handled_in_order(message, due));
        let was_passed_on = entry.is_some_and(|entry| entry.first(due).is_some());
        let course = self.senders.get(message.key.sender);
        let was_cut = || course.is_some_and(|course| course.may_have_lost(message.sent, due));
        let excuse = match () {
            () if !message.is_stamped => Some(Undecided::Unstamped),
            () if message.may_be_lost => Some(Undecided::MayBeLost),
            () if was_passed_on => None,
            () if message.may_be_refused => Some(Undecided::MayBeRefused),
            () if !self.membership.is_heeded(message, due) => Some(Undecided::Stranger),
            () if self.may_have_come_too_late(message, due) => Some(Undecided::Stranger),
            () if handled.is_none() && was_cut() => Some(Undecided::SenderLost),
            () => None,
        };
        Proof { handled, excuse }
    }

    /// Whether the server may have moved the sender out of the room of a message before it handled that. It had not if it
    /// passed on a later one to that room before the sender knew of the move.
    fn may_have_come_too_late(&self, message: &SentMessage, due: Moment) -> bool {
        let Key { sender, sequence } = message.key;
        let course = self.senders.get(sender).filter(|_| message.may_come_too_late);
        let Some((course, learned)) =
            course.and_then(|course| Some((course, course.moved_after(message, due)?)))
        else {
            return false;
        };
        let shows_it = |sequence: u64| {
            let Some(entry) = self.open.get(&Key { sender, sequence }) else { return false };
            let next = entry.message.as_ref().filter(|next| next.settled <= due);
            let Some(next) = next else { return false };
            let is_there = next.to == message.to && next.namespace == message.namespace;
            is_there && self.is_before(message, next) && entry.first(learned).is_some()
        };
        !course.after(sequence).take(BACK as usize).any(shows_it)
    }

    /// Before when a message was handled for being sent before another one on the same connection: the next of which there
    /// is a sign that it was handled.
    pub(super) fn handled_in_order(&self, message: &SentMessage, due: Moment) -> Option<Moment> {
        if message.order != Order::Sent {
            return None;
        }
        let Key { sender, sequence } = message.key;
        let course = self.senders.get(sender)?;
        for sequence in course.after(sequence).take(BACK as usize) {
            let Some(entry) = self.open.get(&Key { sender, sequence }) else { continue };
            let Some(next) = entry.message.as_ref().filter(|next| next.settled <= due) else { continue };
            if !self.is_before(message, next) {
                continue;
            }
            if let Some(handled) = entry.handled_before(next, due) {
                return Some(handled);
            }
        }
        None
    }

    /// Whether the server handles one message before another by the order in which they were sent.
    pub(super) fn is_before(&self, message: &SentMessage, next: &SentMessage) -> bool {
        let is_cut = |course: &Course| course.ended_within(message.sent, next.sent);
        message.order == Order::Sent
            && next.order == Order::Sent
            && message.sent_in == next.sent_in
            && !self.senders.get(message.key.sender).is_some_and(is_cut)
    }

    /// When a message is due of which nobody said when it was handled: its window begins with the first sign of that.
    pub(super) fn put_off(&self, key: Key, due: Moment) -> Option<Moment> {
        let message = self.open.get(&key)?.message.as_ref().filter(|message| message.handled.is_none())?;
        let later = self.proof(message, due).handled? + self.window;
        (later > due).then_some(later)
    }

    /// Looks which receipts prove that their receivers had joined.
    pub(super) fn look_for_joins(&mut self, known: Moment) {
        let (open, membership) = (&self.open, &mut self.membership);
        self.signs.retain(|(key, seat, at)| {
            let Some(entry) = open.get(key) else { return false };
            match &entry.message {
                Some(message) if message.settled.max(*at) < known => {
                    // Of what was refused nobody knows to whom it went.
                    if !message.is_refused {
                        membership.prove_join(*seat, message, *at);
                    }
                    false
                }
                _ => true,
            }
        });
    }
}
