//! What makes the bus lose nothing: a node keeps what it said until the others have it, and says it again to whoever comes
//! back; who hears takes each message once, in the order of its numbers.
//!
//! Pure: times come in as arguments, frames go out. Bounded: of a node that takes nothing, the oldest is given up.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frame::{Frame, Kind, NodeId};

/// So many messages are kept for the others.
const MOST_KEPT: usize = 200_000;
/// So many bytes of them.
const MOST_BYTES: usize = 64 << 20;
/// So long a node that has gone may come back and hear what it missed.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a node said.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// The number of the next message.
    next: u64,
    kept: VecDeque<Bytes>,
    bytes: usize,
    others: BTreeMap<NodeId, Other>,
}

#[derive(Debug)]
struct Other {
    /// It has every message below this number.
    has: u64,
    gone: Option<Instant>,
}

impl Outbox {
    /// A message for all others: the frame that says it now.
    pub(crate) fn tell(&mut self, payload: Bytes) -> Frame {
        let number = self.next;
        self.next += 1;
        if !self.others.is_empty() {
            self.bytes += payload.len();
            self.kept.push_back(payload.clone());
            while self.kept.len() > MOST_KEPT || self.bytes > MOST_BYTES {
                self.give_up_oldest();
            }
        }
        Frame { kind: Kind::Tell, node: NodeId::ALL, number, payload }
    }

    /// A node is there, for the first time or again: the frames that it has to get.
    pub(crate) fn meet(&mut self, node: NodeId) -> Vec<Frame> {
        let other = self.others.entry(node).or_insert(Other { has: self.next, gone: None });
        other.gone = None;
        let first = self.next - self.kept.len() as u64;
        let from = other.has.max(first);
        let mut frames = vec![Frame::bare(Kind::Sync, node, from)];
        let missed = self.kept.iter().zip(first..).skip_while(|(_, number)| *number < from);
        frames.extend(missed.map(|(payload, number)| {
            let payload = payload.clone();
            Frame { kind: Kind::Tell, node, number, payload }
        }));
        frames
    }

    /// A node is gone, or out of reach.
    pub(crate) fn part(&mut self, now: Instant, node: NodeId) {
        if let Some(other) = self.others.get_mut(&node) {
            other.gone.get_or_insert(now);
        }
    }

    /// Gives up those that have been gone for too long.
    pub(crate) fn forget(&mut self, now: Instant) {
        self.others.retain(|_, other| other.gone.is_none_or(|gone| now.duration_since(gone) < PATIENCE));
        self.trim();
    }

    /// A node says what it has; lies are cut to what can be.
    pub(crate) fn handle_have(&mut self, node: NodeId, number: u64) {
        if let Some(other) = self.others.get_mut(&node) {
            other.has = number.clamp(other.has, self.next);
            self.trim();
        }
    }

    fn trim(&mut self) {
        let needed = self.others.values().map(|other| other.has).min().unwrap_or(self.next);
        while self.next - (self.kept.len() as u64) < needed {
            self.give_up_oldest();
        }
    }

    fn give_up_oldest(&mut self) {
        self.bytes -= self.kept.pop_front().map_or(0, |payload| payload.len());
    }
}

/// What a node has heard of the others.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    origins: BTreeMap<NodeId, Origin>,
}

#[derive(Debug)]
struct Origin {
    next: u64,
    /// What it was told that we have.
    told: u64,
}

impl Inbox {
    /// A node says with which number it goes on.
    pub(crate) fn handle_sync(&mut self, node: NodeId, number: u64) {
        let origin = self.origins.entry(node).or_insert(Origin { next: number, told: number });
        origin.next = origin.next.max(number);
    }

    /// A message came. `true`: it is the next one. Any other was heard already, or comes again in its turn.
    pub(crate) fn handle_tell(&mut self, node: NodeId, number: u64) -> bool {
        let Some(origin) = self.origins.get_mut(&node) else { return false };
        let is_next = origin.next == number;
        origin.next = origin.next.saturating_add(u64::from(is_next));
        is_next
    }

    /// Whether that node has said with which number it goes on.
    pub(crate) fn knows(&self, node: NodeId) -> bool {
        self.origins.contains_key(&node)
    }

    /// Whether a node waits to be told that so many messages have arrived.
    pub(crate) fn owes(&self, node: NodeId, messages: u64) -> bool {
        self.origins.get(&node).is_some_and(|origin| origin.next - origin.told >= messages)
    }

    /// Tells every node what has arrived, where that has changed.
    pub(crate) fn haves(&mut self) -> Vec<Frame> {
        let new = self.origins.iter_mut().filter(|(_, origin)| origin.next > origin.told);
        new.map(|(node, origin)| {
            origin.told = origin.next;
            Frame::bare(Kind::Have, *node, origin.next)
        })
        .collect()
    }

    /// Keeps those nodes alone.
    pub(crate) fn retain(&mut self, is_known: impl Fn(NodeId) -> bool) {
        self.origins.retain(|node, _| is_known(*node));
    }
}

impl Outbox {
    /// Whether a node is there or may come back.
    pub(crate) fn knows(&self, node: NodeId) -> bool {
        self.others.contains_key(&node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: NodeId = NodeId(1);
    const B: NodeId = NodeId(2);

    fn message(number: u64) -> Bytes {
        Bytes::copy_from_slice(&number.to_be_bytes())
    }

    #[test]
    fn who_takes_nothing_costs_no_more_than_the_bound_and_goes_on_behind_the_gap() {
        let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
        inbox.handle_sync(A, outbox.meet(B)[0].number);
        for number in 0..MOST_KEPT as u64 + 10 {
            outbox.tell(message(number));
        }
        assert_eq!(outbox.kept.len(), MOST_KEPT);
        let again = outbox.meet(B);
        assert_eq!(again[0], Frame::bare(Kind::Sync, B, 10));
        inbox.handle_sync(A, 10);
        assert!(inbox.handle_tell(A, again[1].number));
    }

    #[test]
    fn who_has_gone_for_good_is_forgotten() {
        let mut outbox = Outbox::default();
        let now = Instant::now();
        outbox.meet(B);
        outbox.tell(message(0));
        outbox.part(now, B);
        outbox.forget(now + PATIENCE / 2);
        assert_eq!(outbox.kept.len(), 1);
        outbox.forget(now + PATIENCE);
        assert_eq!((outbox.kept.len(), outbox.knows(B)), (0, false));
    }

    #[test]
    fn a_lie_about_what_has_arrived_harms_only_the_liar() {
        let mut outbox = Outbox::default();
        outbox.meet(B);
        outbox.tell(message(0));
        outbox.handle_have(B, u64::MAX);
        outbox.handle_have(NodeId(9), 1);
        assert!(outbox.kept.is_empty());
        outbox.tell(message(1));
        assert_eq!(outbox.meet(B)[1].number, 1);
    }

    proptest! {
        /// 0: a message arrives. 1: a message is lost with its connection, which comes back. 2: what has arrived is told.
        #[test]
        fn everything_arrives_once_and_in_order_whatever_connections_break(moves in prop::collection::vec(0u8..3, 1..60)) {
            let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
            let mut heard = Vec::new();
            let mut hear = |inbox: &mut Inbox, frames: Vec<Frame>| for frame in frames {
                match frame.kind {
                    Kind::Sync => inbox.handle_sync(A, frame.number),
                    _ if inbox.handle_tell(A, frame.number) => heard.push(frame.payload),
                    _ => {}
                }
            };
            hear(&mut inbox, outbox.meet(B));
            let mut said = 0;
            for number in &moves {
                match number {
                    0 => hear(&mut inbox, vec![outbox.tell(message(said))]),
                    1 => { outbox.tell(message(said)); hear(&mut inbox, vec![outbox.tell(message(said + 1))]); said += 1; }
                    _ => { for have in inbox.haves() { outbox.handle_have(B, have.number); } continue; }
                }
                said += 1;
                if *number == 1 { hear(&mut inbox, outbox.meet(B)); }
            }
            let expected: Vec<Bytes> = (0..said).map(message).collect();
            prop_assert_eq!(heard, expected);
        }
    }
}
