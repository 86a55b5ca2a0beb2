//! What is told of a message that was cast.

use std::sync::Arc;

use super::Moment;

/// Which message: its stamp without the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Who sent it: an index in the cast.
    pub sender: u32,
    /// Which of the sender's messages it is. A sender's next one is sent when the one before is settled.
    pub sequence: u64,
}

/// Whether the sender is among the receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// It is treated like everyone.
    Included,
    /// Its socket is left out.
    Excluded,
    /// The contract does not say.
    Unknown,
}

/// A message that was cast, and settled: acknowledged, or given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Which one.
    pub key: Key,
    /// The namespace in which it was sent.
    pub namespace: Arc<str>,
    /// The rooms that it went to; none means everyone.
    pub to: Vec<Arc<str>>,
    /// The rooms that were left out.
    pub except: Vec<Arc<str>>,
    /// Whether the sender receives it.
    pub sender: Sender,
    /// Whether it may be lost: a volatile event.
    pub may_be_lost: bool,
    /// Whether a recovered session gets it. A volatile event and one that asks for acknowledgements is not kept.
    pub is_kept: bool,
    /// When it was sent: the server cannot have handled it before.
    pub sent: Moment,
    /// When the server had handled it, if it said so.
    pub handled: Option<Moment>,
    /// When that was known, or was given up.
    pub settled: Moment,
}
