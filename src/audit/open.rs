//! A message on which the ledger has not judged yet.

use std::sync::Arc;

use thin_vec::ThinVec;

use super::events::{Moment, SentMessage};
use super::fanout::FanoutPart;
use super::membership::{Live, Membership};
use super::receipts::Receipts;

/// A message that came after a later one of its sender.
#[derive(Debug)]
pub(super) struct Overtaken {
    pub(super) message: Arc<SentMessage>,
    /// To whom, and when.
    pub(super) seat: u32,
    pub(super) received: Moment,
    /// When the sender's connection ended first since it was sent, by the time at which it was judged.
    pub(super) ended: Option<Moment>,
}

/// A message between its first sign and the end of its window.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) message: Option<Arc<SentMessage>>,
    pub(super) receipts: Receipts,
    /// When a client of another ledger received it first, as far as that was told.
    pub(super) first_elsewhere: Option<Moment>,
    /// How many seats were up when the message was settled.
    pub(super) live: Live,
    /// Who had received a later message of the sender when this one came, when that was, and which it was.
    pub(super) overtaken: ThinVec<(u32, Moment, u64)>,
    /// Who received this one before an earlier message of the sender.
    pub(super) overtook: ThinVec<Overtaken>,
    /// Who had to receive it and had not, when that was looked at last.
    pub(super) awaited: Option<ThinVec<u32>>,
    /// Who received it again, and when, as long as it is not known whether that is right.
    pub(super) doubled: ThinVec<(u32, Moment)>,
    /// Whether it was told when it was received.
    is_told: bool,
}

impl Open {
    /// When it was received first. Receipts count until the message is due: up to then every ledger knows the same.
    pub(super) fn first(&self, due: Moment) -> Option<Moment> {
        [self.receipts.first(), self.first_elsewhere]
            .into_iter()
            .flatten()
            .filter(|first| *first <= due)
            .min()
    }

    /// Before when the server had handled it: before it said so, and before anybody had it.
    pub(super) fn handled_before(&self, message: &SentMessage, due: Moment) -> Option<Moment> {
        [message.handled, self.first(due)].into_iter().flatten().min()
    }

    /// When its first receipt has to be told to the other ledgers: if they know it no better by themselves.
    pub(super) fn first_for_others(&self) -> Option<Moment> {
        let first = self.receipts.first()?;
        // An acknowledgement says as much, but not that the message was passed on where the application need not.
        let says_all = |message: &&Arc<SentMessage>| {
            !message.may_be_refused && message.strays.is_empty() && !message.may_come_too_late
        };
        let message = self.message.as_ref().filter(says_all);
        // By the clock of the sender's machine: for the others, both times become later by about as much.
        let handled = message.and_then(|message| Some(message.handled?.saturating_sub(message.blur)));
        [handled, self.first_elsewhere].into_iter().flatten().all(|known| first < known).then_some(first)
    }

    /// When it was received, unless that was told. What an application shows again to who comes later is no part of it.
    pub(super) fn tell(&mut self, message: &SentMessage, membership: &Membership) -> Option<FanoutPart> {
        if std::mem::replace(&mut self.is_told, true) {
            return None;
        }
        let (mut receivers, mut first, mut last) =
            (self.receipts.len(), self.receipts.first(), self.receipts.last());
        if message.has_history {
            let is_live = |(seat, at): &(u32, Moment)| !membership.is_shown_again(*seat, message, *at);
            let live: Vec<Moment> = self.receipts.iter().filter(is_live).map(|(_, at)| at).collect();
            (receivers, first, last) = (live.len(), live.first().copied(), live.last().copied());
        }
        Some(FanoutPart { key: message.key, due: message.due, receivers, first, last })
    }
}
