//! What the audit found, in numbers and in the first offenders of each kind. Findings of several workers add up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coverage::Coverage;
use super::events::{Key, Moment, SentMessage};
use super::fault::{Fault, Leak};
use super::nodes::{Disturbed, JoinSpread, NodePairs};
use super::span::MembershipSpans;
use super::undecided::{Undecided, UndecidedCounts};

/// How many offenders of each kind are kept.
pub const KEPT: usize = 5;

/// The name of an event that is longer than this is not kept.
const LONGEST_NAME: usize = 100;

/// A pair of a message and a client with which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    /// What is wrong.
    pub fault: Fault,
    /// To whom it leaked, if it did.
    pub leak: Option<Leak>,
    /// Which message.
    pub key: Key,
    /// What is known of it, unless nobody sent it.
    pub message: Option<Arc<SentMessage>>,
    /// The index of who received it, or did not.
    pub receiver: u32,
    /// The namespace of the receiver's socket.
    pub namespace: Arc<str>,
    /// When the receiver was where.
    pub spans: MembershipSpans,
    /// When it was received; again, if it is a duplicate.
    pub received: Option<Moment>,
    /// The sender's later message that had arrived before, if they changed places.
    pub overtaken_by: Option<u64>,
}

impl Offence {
    /// Whether a client got something that was sent before it came, or a second time after that.
    pub fn is_shown_later(&self) -> bool {
        let comes_later = |sent: Moment| self.spans.iter().any(|(_, span)| span.may_begin_after(sent));
        match self.fault {
            Fault::Duplicate => self.message.as_ref().is_some_and(|message| comes_later(message.sent)),
            _ => self.leak == Some(Leak::BeforeJoin),
        }
    }
}

/// A pair of a message and a client of which nobody can say whether the client had to receive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndecidedPair {
    /// Why.
    pub cause: Undecided,
    /// Which message.
    pub message: Arc<SentMessage>,
    /// The index of the client.
    pub receiver: u32,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Messages that were judged.
    pub messages: u64,
    /// Those of them of which the server said that it refuses them, and that receivers would know.
    pub refused: u64,
    /// Receipts of stamped messages.
    pub receipts: u64,
    /// Pairs in which the socket had to receive the message.
    pub expected: u64,
    /// Pairs in which it must not.
    pub forbidden: u64,
    /// Pairs that prove nothing, by cause.
    pub undecided: UndecidedCounts,
    /// One of them for each cause, as far as a client was looked at.
    pub doubts: Vec<UndecidedPair>,
    /// Clients that asked to join a room, were told nothing of it, and received none of what others received there then.
    pub unseen: u64,
    /// Clients that asked to leave a room, were told nothing of it, and went on to receive what was sent there.
    pub kept: u64,
    /// Messages that came after their window: whether they were due or doubled is not known any more.
    pub late: u64,
    /// How often each fault was found, in the order of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// How often each leak was found, in the order of [`Leak::ALL`].
    pub leaks: [u64; Leak::ALL.len()],
    /// What went from each node of the server to each, where there are several.
    pub nodes: NodePairs,
    /// What of all this was under way while the server was disturbed on purpose.
    pub disturbed: Disturbed,
    /// What messages showed of joins that had to spread to other nodes.
    pub join_spread: JoinSpread,
    /// The first [`KEPT`] of each fault, and of each leak.
    pub offences: Vec<Offence>,
    /// Events as which messages arrived though the contract names others, and how often; the first few names.
    pub elsewhere: BTreeMap<String, u64>,
}

impl Findings {
    /// How often this was found.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// How much could be judged.
    pub fn coverage(&self) -> Coverage {
        let Findings { messages, refused, expected, unseen, kept, .. } = *self;
        let between = self.nodes.between();
        Coverage { messages, refused, expected, undecided: self.undecided.total(), between, unseen, kept }
    }

    /// How often this was found of messages that were not under way while the server was disturbed on purpose.
    pub fn undisturbed(&self, fault: Fault) -> u64 {
        self.fault(fault).saturating_sub(self.disturbed.fault(fault))
    }

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.faults.iter().all(|count| *count == 0)
    }

    /// A message arrived as an event that the contract does not name.
    pub(super) fn note_elsewhere(&mut self, event: &str) {
        if let Some(times) = self.elsewhere.get_mut(event) {
            *times += 1;
        } else if self.elsewhere.len() < KEPT && event.len() <= LONGEST_NAME {
            self.elsewhere.insert(event.to_owned(), 1);
        }
    }

    /// Counts an offence, and keeps it if it is one of the first of its kind.
    pub(super) fn accuse(&mut self, fault: Fault, leak: Option<Leak>, tell: impl FnOnce() -> Offence) {
        self.faults[fault as usize] += 1;
        if let Some(leak) = leak {
            self.leaks[leak as usize] += 1;
        }
        if self.offences.iter().filter(|kept| kept.fault == fault && kept.leak == leak).count() < KEPT {
            self.offences.push(tell());
        }
    }

    /// More is known of a message than when it was first complained of.
    pub(super) fn complete(
        &mut self,
        message: &Arc<SentMessage>,
        mut spans: impl FnMut(&Offence) -> MembershipSpans,
    ) {
        for offence in &mut self.offences {
            if offence.key == message.key && offence.message.is_none() {
                offence.spans = spans(offence);
                offence.message = Some(message.clone());
            }
        }
    }

    /// Takes an accusation back: what was missing has come.
    pub(super) fn forgive(&mut self, receiver: u32, key: Key) {
        self.faults[Fault::Missing as usize] -= 1;
        self.late += 1;
        self.offences
            .retain(|kept| kept.fault != Fault::Missing || kept.receiver != receiver || kept.key != key);
    }

    /// Keeps a pair of which nobody can say, if it is the first for its cause.
    pub(super) fn doubt(&mut self, cause: Undecided, message: &Arc<SentMessage>, receiver: u32) {
        if self.doubts.iter().all(|kept| kept.cause != cause) {
            self.doubts.push(UndecidedPair { cause, message: message.clone(), receiver });
        }
    }

    /// Adds what another worker found about its clients. Both have judged the same messages.
    pub fn merge(&mut self, other: Findings) {
        self.messages = self.messages.max(other.messages);
        self.refused = self.refused.max(other.refused);
        self.receipts += other.receipts;
        self.expected += other.expected;
        self.forbidden += other.forbidden;
        self.undecided.merge(&other.undecided);
        other.doubts.iter().for_each(|doubt| self.doubt(doubt.cause, &doubt.message, doubt.receiver));
        self.unseen += other.unseen;
        self.kept += other.kept;
        self.late += other.late;
        self.faults.iter_mut().zip(other.faults).for_each(|(mine, theirs)| *mine += theirs);
        self.leaks.iter_mut().zip(other.leaks).for_each(|(mine, theirs)| *mine += theirs);
        self.nodes.merge(other.nodes);
        self.join_spread.merge(other.join_spread);
        self.disturbed.merge(other.disturbed);
        for (event, times) in other.elsewhere {
            *self.elsewhere.entry(event).or_default() += times;
        }
        for offence in other.offences {
            let alike = |kept: &&Offence| kept.fault == offence.fault && kept.leak == offence.leak;
            if self.offences.iter().filter(alike).count() < KEPT {
                self.offences.push(offence);
            }
        }
    }
}
