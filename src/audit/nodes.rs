//! Deliveries from node to node: at which node each client is, what had to go from each node to each, and what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::events::Moment;
use super::fault::Fault;
use super::maps::Map;

/// Percentiles of a pair of nodes are right to a hundredth: there are many pairs.
const DIGITS: u8 = 2;

/// The node of a client that is not known.
pub const UNKNOWN_NODE: u16 = u16::MAX;

/// What is promised between the nodes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// How many nodes there are.
    pub nodes: usize,
    /// How long it may take until what happened at one node is known at the others: a join, a leave, a message. A node may
    /// also publish a message first, and hand it to its own clients as late. Where there is one node, it may be several behind
    /// one address if this is not zero.
    pub within: Moment,
}

impl Spread {
    /// A server of one node, in which everything is known at once.
    pub const ALONE: Spread = Spread { nodes: 1, within: Moment::ZERO };
}

/// How far apart in time what a client did and when a message was sent may be known to the nodes of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// So much earlier than the message was sent, a join or a leave may have been that is not known where it is handled.
    pub(super) before: Moment,
    /// So much later than it was handled by the word of the server, the message may be handed to the client.
    pub(super) after: Moment,
}

impl Reach {
    /// Between which times the client's memberships count for a message that was handled between these.
    pub(super) fn widen(self, (from, to): (Moment, Moment)) -> (Moment, Moment) {
        (from.saturating_sub(self.before), to.saturating_add(self.after))
    }

    /// Whether it widens nothing.
    pub(super) fn is_zero(self) -> bool {
        self.before.is_zero() && self.after.is_zero()
    }
}

/// A client goes to a node.
#[derive(Clone, Copy, Debug)]
struct Move {
    node: u16,
    /// When the last of its connections to the node before had ended.
    left: Moment,
    /// When it set out for this one.
    at: Moment,
}

/// The nodes of a ledger's clients.
#[derive(Debug)]
pub(super) struct Homes {
    spread: Spread,
    /// The node to which each client went last.
    of_client: Vec<u16>,
    /// Where those were who went from node to node, in the order of time.
    moves: Map<u32, Vec<Move>>,
}

impl Homes {
    pub(super) fn new(spread: Spread) -> Homes {
        Homes { spread, of_client: Vec::new(), moves: Map::default() }
    }

    /// Whether there are several nodes.
    pub(super) fn are_several(&self) -> bool {
        self.spread.nodes > 1
    }

    /// Whether there may be several nodes, and nobody knows which client is where.
    pub(super) fn are_hidden(&self) -> bool {
        !self.are_several() && !self.spread.within.is_zero()
    }

    /// A client goes to a node. It had left the one before at a time, unless it was at none. Moves before a horizon are
    /// forgotten.
    pub(super) fn put(
        &mut self,
        client: u32,
        node: u16,
        (at, left): (Moment, Option<Moment>),
        horizon: Moment,
    ) {
        if !self.are_several() {
            return;
        }
        let place = client as usize;
        self.of_client.resize(self.of_client.len().max(place + 1), 0);
        let before = std::mem::replace(&mut self.of_client[place], node);
        let Some(left) = left else {
            self.moves.remove(&client);
            return;
        };
        if before == node {
            return;
        }
        let first = Move { node: before, left: Moment::ZERO, at: Moment::ZERO };
        let moves = self.moves.entry(client).or_insert_with(|| vec![first]);
        let old = moves.partition_point(|known| known.at < horizon).saturating_sub(1);
        moves.drain(..old);
        moves.push(Move { node, left, at });
    }

    /// Whether the node of a client is not known.
    pub(super) fn is_unknown(&self, client: u32) -> bool {
        self.are_several() && self.of_client.get(client as usize) == Some(&UNKNOWN_NODE)
    }

    /// Where a client went last is known better.
    pub(super) fn correct(&mut self, client: u32, node: u16) {
        if let Some(known) = self.of_client.get_mut(client as usize) {
            *known = node;
        }
        if let Some(last) = self.moves.get_mut(&client).and_then(|moves| moves.last_mut()) {
            last.node = node;
        }
    }

    /// Where a client was after the last of its moves that had begun.
    fn last(&self, client: u32, has_begun: impl Fn(&Move) -> bool) -> Move {
        let node = self.of_client.get(client as usize).copied().unwrap_or_default();
        let moves = self.moves.get(&client).map(Vec::as_slice).unwrap_or_default();
        let begun = moves.iter().rfind(|known| has_begun(known)).or(moves.first());
        begun.copied().unwrap_or(Move { node, left: Moment::ZERO, at: Moment::ZERO })
    }

    /// The node at which a client did or received something at a time.
    pub(super) fn node(&self, client: u32, when: Moment) -> u16 {
        self.last(client, |known| known.at <= when).node
    }

    /// The node that has to hand a client what it is to receive since a time: where it goes next, if it is at none.
    pub(super) fn host(&self, client: u32, since: Moment) -> u16 {
        self.last(client, |known| known.left <= since).node
    }

    /// Whether somebody has gone from node to node.
    pub(super) fn have_moves(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Whether a client has.
    pub(super) fn has_moved(&self, client: u32) -> bool {
        self.moves.contains_key(&client)
    }

    /// Whether all that a client did that matters for a message, it did at the node from which that was sent then.
    pub(super) fn is_at(&self, (node, sent): (u16, Moment), client: u32) -> bool {
        let home = self.last(client, |known| known.left <= sent);
        let was_elsewhere = !home.left.is_zero() && home.left + self.spread.within > sent;
        self.are_several() && home.node == node && node != UNKNOWN_NODE && !was_elsewhere
    }

    /// How far what a client does and a message that was sent from a node then may be apart. A node knows at once what its own
    /// clients do, and a while later what they did at the node before.
    pub(super) fn reach(&self, from: (u16, Moment), client: u32) -> Reach {
        let after = self.spread.within;
        Reach { before: if self.is_at(from, client) { Moment::ZERO } else { after }, after }
    }

    /// The longest that it may take between any two.
    pub(super) fn longest(&self) -> Moment {
        self.spread.within
    }

    /// Figures of each pair of nodes, where there are several.
    pub(super) fn pairs(&self) -> NodePairs {
        NodePairs::new(if self.are_several() { self.spread.nodes } else { 0 })
    }
}

/// What went from one node to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodePair {
    /// Pairs of a message and a client in which it had to arrive.
    pub expected: u64,
    /// Pairs in which it may have had to.
    pub undecided: u64,
    /// How often each fault was found, in the order of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// Microseconds from when messages were due to their receipts.
    #[serde(serialize_with = "buckets", deserialize_with = "from_buckets")]
    latency: Option<Box<Histogram<u32>>>,
}

impl NodePair {
    /// How often this was found.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// Whether messages had to arrive and none did.
    pub fn is_deaf(&self) -> bool {
        self.expected > 0 && self.fault(Fault::Missing) == self.expected
    }

    /// How many messages were received in time.
    pub fn received(&self) -> u64 {
        self.latency.as_ref().map_or(0, |latency| latency.len())
    }

    /// This share of the receipts came within so long.
    pub fn quantile(&self, quantile: f64) -> Option<Moment> {
        let latency = self.latency.as_ref().filter(|latency| !latency.is_empty())?;
        Some(Moment::from_micros(latency.value_at_quantile(quantile)))
    }

    fn take(&mut self, latency: Moment) {
        let micros = latency.as_micros().max(1);
        if self.latency.is_none() {
            self.latency = empty();
        }
        if let Some(latency) = &mut self.latency {
            latency.saturating_record(micros);
        }
    }

    fn merge(&mut self, other: NodePair) {
        self.expected += other.expected;
        self.undecided += other.undecided;
        self.faults.iter_mut().zip(other.faults).for_each(|(mine, theirs)| *mine += theirs);
        match (&mut self.latency, other.latency) {
            // Both have the same bounds, so that nothing is out of range.
            (Some(mine), Some(theirs)) => mine.add(&*theirs).unwrap_or_default(),
            (mine @ None, theirs) => *mine = theirs,
            (Some(_), None) => {}
        }
    }
}

/// Two minutes, as everywhere.
const LONGEST: u64 = 120_000_000;

fn empty() -> Option<Box<Histogram<u32>>> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).ok().map(Box::new)
}

/// The receipts as they pass from machine to machine: each bucket that has some, and how many.
fn buckets<S: Serializer>(latency: &Option<Box<Histogram<u32>>>, serializer: S) -> Result<S::Ok, S::Error> {
    let of = |latency: &Histogram<u32>| -> Vec<(u64, u32)> {
        latency.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
    };
    latency.as_deref().map(of).serialize(serializer)
}

fn from_buckets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<Histogram<u32>>>, D::Error> {
    let Some(buckets) = Option::<Vec<(u64, u32)>>::deserialize(deserializer)? else { return Ok(None) };
    let mut latency = empty();
    if let Some(latency) = &mut latency {
        buckets.into_iter().for_each(|(micros, count)| latency.saturating_record_n(micros, count));
    }
    Ok(latency)
}

/// More namespaces than this are not told apart.
const MOST_NAMESPACES: usize = 16;

/// Of one namespace, what went from one node to another. An adapter serves each namespace by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    expected: u64,
    missing: u64,
}

/// What went from each node to each. Empty where there is one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodePairs {
    nodes: usize,
    pairs: Vec<NodePair>,
    /// In the order of the pairs.
    namespaces: BTreeMap<Arc<str>, Vec<Heard>>,
}

impl NodePairs {
    /// Of so many nodes.
    pub fn new(nodes: usize) -> NodePairs {
        NodePairs { nodes, pairs: vec![NodePair::default(); nodes * nodes], namespaces: BTreeMap::new() }
    }

    /// How many nodes there are; none where there is one.
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// What went from one node to another.
    pub fn pair(&self, from: usize, to: usize) -> Option<&NodePair> {
        self.pairs.get(from * self.nodes + to).filter(|_| to < self.nodes)
    }

    /// The namespaces in which messages had to go from one node to another and none arrived, where others did in another one.
    pub fn deaf_namespaces(&self, from: usize, to: usize) -> Vec<&str> {
        if self.namespaces.len() < 2 || self.pair(from, to).is_none_or(NodePair::is_deaf) {
            return Vec::new();
        }
        let is_deaf = |heard: &&Heard| heard.expected > 0 && heard.missing == heard.expected;
        let of = |all: &Vec<Heard>| all.get(from * self.nodes + to).filter(is_deaf).is_some();
        self.namespaces.iter().filter(|(_, all)| of(all)).map(|(namespace, _)| &**namespace).collect()
    }

    /// Pairs of a message of a namespace and a client in which it had to arrive.
    pub(super) fn owe(&mut self, (from, to): (u16, u16), namespace: &Arc<str>, pairs: u64) {
        if let Some(pair) = self.of(from, to).filter(|_| pairs > 0) {
            pair.expected += pairs;
            self.heard((from, to), namespace, |heard| heard.expected += pairs);
        }
    }

    fn heard(&mut self, (from, to): (u16, u16), namespace: &Arc<str>, note: impl FnOnce(&mut Heard)) {
        if !self.namespaces.contains_key(namespace) && self.namespaces.len() < MOST_NAMESPACES {
            self.namespaces.insert(namespace.clone(), vec![Heard::default(); self.pairs.len()]);
        }
        let place = usize::from(from) * self.nodes + usize::from(to);
        if let Some(heard) = self.namespaces.get_mut(namespace).and_then(|all| all.get_mut(place)) {
            note(heard);
        }
    }

    pub(super) fn doubt(&mut self, from: u16, to: u16, pairs: u64) {
        if let Some(pair) = self.of(from, to) {
            pair.undecided += pairs;
        }
    }

    /// How many pairs of a message and a client at another node than the sender's were decided. None where all that was
    /// sent and received was at one node.
    pub(super) fn between(&self) -> Option<u64> {
        let nodes = self.nodes;
        let pairs = self.pairs.iter().enumerate().map(|(at, pair)| ((at / nodes, at % nodes), pair));
        between(
            pairs.map(|(way, pair)| (way, pair.expected, pair.expected + pair.undecided + pair.received())),
        )
    }

    pub(super) fn accuse(&mut self, (from, to): (u16, u16), namespace: &Arc<str>, fault: Fault) {
        if let Some(pair) = self.of(from, to) {
            pair.faults[fault as usize] += 1;
            if fault == Fault::Missing {
                self.heard((from, to), namespace, |heard| heard.missing += 1);
            }
        }
    }

    /// Takes an accusation back.
    pub(super) fn forgive(&mut self, (from, to): (u16, u16), namespace: &Arc<str>) {
        if let Some(pair) = self.of(from, to) {
            let missing = &mut pair.faults[Fault::Missing as usize];
            *missing = missing.saturating_sub(1);
            self.heard((from, to), namespace, |heard| heard.missing = heard.missing.saturating_sub(1));
        }
    }

    pub(super) fn receive(&mut self, from: u16, to: u16, latency: Moment) {
        if let Some(pair) = self.of(from, to) {
            pair.take(latency);
        }
    }

    pub(super) fn merge(&mut self, other: NodePairs) {
        if self.pairs.is_empty() {
            *self = other;
            return;
        }
        self.pairs.iter_mut().zip(other.pairs).for_each(|(mine, theirs)| mine.merge(theirs));
        for (namespace, theirs) in other.namespaces {
            if self.namespaces.len() >= MOST_NAMESPACES && !self.namespaces.contains_key(&namespace) {
                continue;
            }
            let mine =
                self.namespaces.entry(namespace).or_insert_with(|| vec![Heard::default(); theirs.len()]);
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.expected += theirs.expected;
                mine.missing += theirs.missing;
            }
        }
    }

    fn of(&mut self, from: u16, to: u16) -> Option<&mut NodePair> {
        self.pairs.get_mut(usize::from(from) * self.nodes + usize::from(to))
    }
}

/// Of the ways between nodes, each with how much was decided on it and how much passed or may have: how much was decided
/// between different nodes. None where fewer than two nodes took part.
pub fn between<Node: PartialEq>(ways: impl Iterator<Item = ((Node, Node), u64, u64)>) -> Option<u64> {
    let mut taking_part: Option<Node> = None;
    let (mut are_several, mut decided) = (false, 0);
    for ((from, to), expected, _) in ways.filter(|(_, _, passed)| *passed > 0) {
        are_several |= from != to || taking_part.as_ref().is_some_and(|first| *first != from);
        decided += if from == to { 0 } else { expected };
        taking_part.get_or_insert(from);
    }
    are_several.then_some(decided)
}

/// What was expected and found of messages that were under way while the server was disturbed on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disturbed {
    /// Pairs of a message and a client in which it had to arrive.
    pub expected: u64,
    /// How often each fault was found, in the order of [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
}

impl Disturbed {
    /// How often this was found.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    pub(super) fn merge(&mut self, other: Disturbed) {
        self.expected += other.expected;
        self.faults.iter_mut().zip(other.faults).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// When the server was disturbed on purpose: from a time to another one, or until now.
pub type Disturbances = Vec<(Moment, Option<Moment>)>;

/// What messages showed of joins that were acknowledged at another node a short while before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSpread {
    /// Messages from another node, sent within the spread after a join, that were received.
    pub at_once: u64,
    /// Those that were not.
    pub late: u64,
    /// The longest from the acknowledgement of a join to the sending of a message that was not received.
    pub longest: Moment,
}

impl JoinSpread {
    /// A message was sent so long after a join was acknowledged.
    pub(super) fn take(&mut self, after: Moment, was_received: bool) {
        if was_received {
            self.at_once += 1;
        } else {
            self.late += 1;
            self.longest = self.longest.max(after);
        }
    }

    pub(super) fn merge(&mut self, other: JoinSpread) {
        self.at_once += other.at_once;
        self.late += other.late;
        self.longest = self.longest.max(other.longest);
    }
}

#[cfg(test)]
pub(crate) mod tests_of_nodes {
    use super::*;

    /// Three nodes, between which these namespaces are silent towards the second, and another one is not.
    pub(crate) fn silent_in(namespaces: &[&str]) -> NodePairs {
        let mut pairs = pairs_of(3, |_, _| (10, 0));
        for (from, namespace) in
            [0, 2].into_iter().flat_map(|from| namespaces.iter().map(move |name| (from, *name)))
        {
            pairs.owe((from, 1), &namespace.into(), 2);
            (0..2).for_each(|_| pairs.accuse((from, 1), &namespace.into(), Fault::Missing));
        }
        pairs
    }

    /// So many pairs of a message and a client were expected, and missing, from node to node.
    pub(crate) fn pairs_of(nodes: u16, figures: impl Fn(u16, u16) -> (u64, u64)) -> NodePairs {
        let mut pairs = NodePairs::new(nodes.into());
        for (from, to) in (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to))) {
            let (expected, missing) = figures(from, to);
            pairs.owe((from, to), &"/".into(), expected);
            (0..missing).for_each(|_| pairs.accuse((from, to), &"/".into(), Fault::Missing));
            (missing..expected).for_each(|each| pairs.receive(from, to, Moment::from_millis(each + 1)));
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_several_workers_add_up() {
        let mut one = NodePairs::new(2);
        one.owe((0, 1), &"/".into(), 2);
        one.receive(0, 1, Moment::from_millis(10));
        one.accuse((0, 1), &"/".into(), Fault::Missing);
        let mut two = NodePairs::new(2);
        two.owe((0, 1), &"/".into(), 3);
        two.receive(0, 1, Moment::from_millis(30));
        let mut sum = NodePairs::default();
        sum.merge(one);
        sum.merge(two);
        let pair = sum.pair(0, 1).expect("there are two nodes");
        assert_eq!((pair.expected, pair.fault(Fault::Missing), pair.received()), (5, 1, 2));
        let [low, high] = [0.5, 1.0].map(|quantile| pair.quantile(quantile).expect("there are values"));
        assert!((9_900..10_200).contains(&low.as_micros()) && (29_700..30_500).contains(&high.as_micros()));
        assert_eq!(sum.pair(1, 0), Some(&NodePair::default()));
    }

    #[test]
    fn a_namespace_in_which_nothing_arrives_is_known_whoever_saw_it_until_something_does() {
        let mut sum = NodePairs::new(3);
        sum.merge(tests_of_nodes::silent_in(&["/news"]));
        sum.merge(tests_of_nodes::silent_in(&["/news"]));
        assert_eq!((sum.deaf_namespaces(0, 1), sum.deaf_namespaces(1, 0)), (vec!["/news"], vec![]));
        sum.forgive((0, 1), &"/news".into());
        assert_eq!((sum.deaf_namespaces(0, 1), sum.deaf_namespaces(2, 1)), (vec![], vec!["/news"]));
        let many: Vec<String> = (0..1000).map(|number| format!("/{number:04}")).collect();
        sum.merge(tests_of_nodes::silent_in(&many.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(sum.namespaces.len(), MOST_NAMESPACES);
    }

    #[test]
    fn a_server_of_one_node_has_no_pairs() {
        let mut pairs = Homes::new(Spread::ALONE).pairs();
        pairs.receive(0, 0, Moment::ZERO);
        assert_eq!((pairs.nodes(), pairs.pair(0, 0)), (0, None));
    }
}
