//! The end of a message's window: what had to be received and was not, what changed places, and what is owed still.

use std::cmp::Reverse;
use std::sync::Arc;

use super::{Ledger, MOST_MISSING, MOST_OWED};
use crate::audit::events::{Key, Moment, Order, SentMessage};
use crate::audit::fault::{Fault, Leak};
use crate::audit::judgement::Judgement;
use crate::audit::nodes::UNKNOWN_NODE;
use crate::audit::open::{Open, Overtaken};
use crate::audit::undecided::Undecided;

impl Ledger {
    /// Judges a message; `is_over`: whether its window is.
    pub(super) fn close(&mut self, key: Key, due: Moment, is_over: bool, now: Moment) {
        let message = self.open.get(&key).and_then(|entry| entry.message.clone());
        let proof = message.as_ref().map(|message| self.proof(message, due));
        self.accuse_doubled(key, message.as_ref());
        let Some(mut entry) = self.open.remove(&key) else { return };
        let (Some(message), Some(proof)) = (entry.message.clone(), proof) else {
            for (seat, at) in entry.receipts.iter() {
                self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
            }
            return;
        };
        self.parts.extend(entry.tell(&message, &self.membership));
        self.tell_nodes(&message, &entry);
        let membership = &mut self.membership;
        self.findings.complete(&message, |offence| {
            let seat = membership.seat(offence.receiver, &offence.namespace);
            membership.spans(&message, seat)
        });
        let judgement = Judgement::of(&mut self.membership, &message, &entry, proof, (due, now, self.window));
        self.findings.messages += 1;
        self.findings.refused += u64::from(message.is_refused && message.is_stamped);
        self.findings.expected += judgement.expected;
        self.findings.forbidden += judgement.forbidden;
        if judgement.expected > 0 && self.is_disturbed(self.under_way(&message)) {
            self.findings.disturbed.expected += judgement.expected;
        }
        self.findings.undecided.merge(&judgement.undecided);
        for (cause, seat) in judgement.doubts {
            self.findings.doubt(cause, &message, self.membership.seats()[seat as usize].client);
        }
        self.findings.join_spread.merge(judgement.join_spread);
        for (node, pairs) in judgement.expected_at.iter().enumerate() {
            self.findings.nodes.owe((message.node, node as u16), &message.namespace, *pairs);
        }
        for (node, pairs) in judgement.undecided_at.iter().enumerate() {
            self.findings.nodes.doubt(message.node, node as u16, *pairs);
        }
        judgement.in_vain.into_iter().for_each(|(seat, span)| self.membership.miss(&message, seat, span));
        for (seat, span, has) in judgement.left {
            self.membership.see_leave(&message, seat, span, has);
        }
        for seat in judgement.absent {
            self.absent(seat, &message, (is_over, due), now);
        }
        for (seat, leak, at) in judgement.leaked {
            self.accuse((Fault::Leaked, Some(leak)), seat, key, Some(message.clone()), Some(at), None);
        }
        self.judge_the_order(*entry, message.clone());
        // What its sender had asked for before is read, too.
        if let (Some(handled), Order::Sent) = (proof.handled, message.order) {
            let shown = (message.sent, handled);
            self.membership.has_read(key.sender, Some(&message.sent_in), shown, self.window);
        }
        let horizon = message.sent.saturating_sub(self.window);
        let next = self.senders.of(key.sender).close(key.sequence, horizon);
        let next = next.map(|sequence| Key { sequence, ..key });
        if let Some((next, open)) =
            next.and_then(|next| Some((next, self.open.get(&next)?.message.as_ref()?)))
        {
            self.due.push(Reverse(((open.settled + self.window).max(due), next)));
        }
    }

    /// What came of a message from node to node.
    fn tell_nodes(&mut self, message: &SentMessage, entry: &Open) {
        let (nodes, membership) = (&mut self.findings.nodes, &self.membership);
        if nodes.nodes() == 0 {
            return;
        }
        for (seat, at) in entry.receipts.iter() {
            nodes.receive(message.node, membership.node(seat, at), at.saturating_sub(message.due));
        }
    }

    /// What the order is for certain is known when the later message is judged. What may be lost need not wait for its turn.
    pub(super) fn judge_the_order(&mut self, entry: Open, message: Arc<SentMessage>) {
        if message.may_be_lost || message.order == Order::Unknown {
            return;
        }
        let Key { sender, sequence } = message.key;
        for Overtaken { message: earlier, seat, received, ended } in entry.overtook {
            let is_cut = ended.is_some_and(|ended| ended < message.sent);
            // What a sender sends from another node may be there sooner.
            let is_hidden = self.membership.homes.are_hidden() || message.node == UNKNOWN_NODE;
            let has_moved = if is_hidden { is_cut } else { earlier.node != message.node };
            if has_moved {
                continue;
            }
            // Who comes may be shown either of them behind the other.
            let later = entry.receipts.iter().find(|(receiver, _)| *receiver == seat);
            let is_shown = |message, at| self.membership.is_shown_again(seat, message, at);
            if is_shown(&earlier, received) || later.is_some_and(|(_, at)| is_shown(&message, at)) {
                continue;
            }
            // The sender's next message was sent when the acknowledgement was there.
            if earlier.handled.is_some() || (!is_cut && self.is_before(&earlier, &message)) {
                let (fault, key) = ((Fault::Disordered, None), earlier.key);
                self.accuse(fault, seat, key, Some(earlier), Some(received), Some(sequence));
            }
        }
        let ended = self.senders.get(sender).and_then(|course| course.first_end(message.sent));
        for (seat, received, by) in entry.overtaken {
            if let Some(later) = self.open.get_mut(&Key { sender, sequence: by }) {
                later.overtook.push(Overtaken { message: message.clone(), seat, received, ended });
            }
        }
    }

    /// A seat had to receive a message, and has not.
    fn absent(&mut self, seat: u32, message: &Arc<SentMessage>, (is_over, due): (bool, Moment), now: Moment) {
        let window = self.window;
        let place = self.membership.seat_mut(seat);
        let is_late = place.back.is_some_and(|back| back + window > now);
        if place.away.is_some() || (is_late && place.is_up()) {
            let was_away = message.is_kept && place.owed.len() < MOST_OWED;
            if !was_away {
                return self.leave_open(seat, message, Undecided::ReceiverLost);
            }
            place.owed.push((message.key, message.clone()));
            self.owing.push(seat);
            return;
        }
        let was_cut = place.back.is_some_and(|back| back > message.sent) && !message.is_kept;
        if !is_over || !place.is_up_since(message.sent) || was_cut {
            let is_there = place.is_up_since(message.sent) && !was_cut;
            let cause = if is_there { Undecided::Unfinished } else { Undecided::ReceiverLost };
            return self.leave_open(seat, message, cause);
        }
        self.miss(seat, message, due);
    }

    /// Whether a seat had to receive a message is not known.
    fn leave_open(&mut self, seat: u32, message: &SentMessage, cause: Undecided) {
        self.findings.undecided.add(cause, 1);
        let node = self.host(seat, message);
        self.findings.nodes.doubt(message.node, node, 1);
    }

    /// The node that had to hand a message to a seat.
    fn host(&self, seat: u32, message: &SentMessage) -> u16 {
        let client = self.membership.seats()[seat as usize].client;
        self.membership.homes.host(client, message.settled)
    }

    /// It is missing, by all that is known of the time up to `by`.
    pub(super) fn miss(&mut self, seat: u32, message: &Arc<SentMessage>, by: Moment) {
        if self.may_have_lost_its_stamp(seat, message, by) {
            return self.leave_open(seat, message, Undecided::StampLost);
        }
        let nodes = (message.node, self.host(seat, message));
        self.expect(message, nodes.1);
        if self.missing.len() < MOST_MISSING {
            let is_disturbed = self.is_disturbed(self.under_way(message));
            self.missing.insert((seat, message.key), (nodes.0, nodes.1, is_disturbed));
        }
        self.accuse((Fault::Missing, None), seat, message.key, Some(message.clone()), None, None);
    }

    /// What recovered seats were owed and did not get in time is missing. `known`: before when all is known of what the clients of
    /// other ledgers did and saw.
    pub(super) fn collect_debts(&mut self, now: Moment, known: Moment) {
        if self.owing.is_empty() {
            return;
        }
        let window = self.window;
        let by = now.min(known.saturating_sub(Moment::from_nanos(1)));
        let mut owing = std::mem::take(&mut self.owing);
        owing.sort_unstable();
        owing.dedup();
        owing.retain(|seat| {
            let place = self.membership.seat_mut(*seat);
            if place.owed.is_empty() {
                return false;
            }
            let waits = place.away.is_some() || place.back.is_some_and(|back| back + window > now);
            if waits && (place.away.is_some() || place.is_up()) {
                return true;
            }
            for (_, message) in std::mem::take(&mut place.owed) {
                match self.membership.seats()[*seat as usize].is_up_since(message.sent) {
                    true => self.miss(*seat, &message, by),
                    false => self.findings.undecided.add(Undecided::ReceiverLost, 1),
                }
            }
            false
        });
        self.owing = owing;
    }
}
