//! A message on which the ledger has not judged yet.

use std::sync::Arc;

use super::events::SentMessage;
use super::fanout::FanoutPart;
use super::receipts::Receipts;

/// A message between its first sign and the end of its window.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) message: Option<Arc<SentMessage>>,
    pub(super) receipts: Receipts,
    /// How many seats were up when the message was settled.
    pub(super) live: u64,
    /// Who had received a later message of the sender when this one came, and which.
    pub(super) overtaken: Vec<(u32, u64)>,
    /// Who had to receive it and had not, when that was looked at last.
    pub(super) awaited: Option<Vec<u32>>,
    /// Whether it was told when it was received.
    is_told: bool,
}

impl Open {
    /// When it was received, unless that was told.
    pub(super) fn tell(&mut self, message: &SentMessage) -> Option<FanoutPart> {
        let (receivers, first, last) = (self.receipts.len(), self.receipts.first(), self.receipts.last());
        let is_told = std::mem::replace(&mut self.is_told, true);
        (!is_told).then_some(FanoutPart { key: message.key, due: message.due, receivers, first, last })
    }
}
