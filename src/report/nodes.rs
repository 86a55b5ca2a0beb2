//! What a result says of the nodes of a server: which they are, what went from each to each, and what was done to them.

use serde::{Deserialize, Serialize};

use crate::audit::between;

/// A node of the server under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodeInfo {
    /// Its name.
    pub name: String,
    /// Where it was reached.
    pub url: String,
    /// The command that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Something that the script did to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperationResult {
    /// In words: `kill node b`.
    pub what: String,
    /// When it began, since the start of the run.
    pub from_us: u64,
    /// When it was done, or the run ended.
    pub to_us: u64,
    /// Whether it disturbed the server. A wait for its health does not.
    #[serde(default)]
    pub disturbs: bool,
    /// Whether it was still under way when the run ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_under_way: bool,
    /// Why there was nothing to do, if so: `it ran already`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needless: Option<String>,
    /// Why it could not be done, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A stretch of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SpanResult {
    /// When it began, since the start of the run.
    pub from_us: u64,
    /// When it ended.
    pub to_us: u64,
}

/// Deliveries of messages that were under way while the script disturbed the server. They are among all others, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DisturbedResult {
    /// Pairs in which the client had to receive the message.
    pub expected: u64,
    /// Of these, it did not.
    pub missing: u64,
    /// A client received a message again.
    pub duplicate: u64,
    /// A client received messages of one sender in another order than they were sent in.
    pub disordered: u64,
    /// A client received a message that was not for it.
    pub leaked: u64,
}

/// Deliveries from node to node, over the whole run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodesResult {
    /// The names of the nodes.
    pub names: Vec<String>,
    /// Each pair of nodes.
    pub pairs: Vec<NodePairResult>,
    /// What messages showed of joins that were acknowledged at another node a short while before.
    pub join_spread: JoinSpreadResult,
    /// Clients behind a balancer whose node is not known: nothing is judged by pair for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unknown: u64,
}

impl NodesResult {
    /// How many pairs of a message and a client at another node than the sender's were decided. None where all that was
    /// sent and received was at one node.
    pub fn between(&self) -> Option<u64> {
        between(self.pairs.iter().map(|pair| {
            let received = u64::from(pair.p50_us.is_some());
            ((&*pair.from, &*pair.to), pair.expected, pair.expected + pair.undecided + received)
        }))
    }
}

pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What went from the clients of one node to those of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NodePairResult {
    /// The node of the senders.
    pub from: String,
    /// The node of the receivers.
    pub to: String,
    /// Pairs of a message and a client in which it had to arrive.
    pub expected: u64,
    /// Pairs in which it may have had to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: u64,
    /// Of those that were expected, the message arrived.
    pub delivered: u64,
    /// Of those that were expected, it did not.
    pub missing: u64,
    /// A client received a message again.
    pub duplicate: u64,
    /// A client received messages of one sender in another order than they were sent in.
    pub disordered: u64,
    /// A client received a message that was not for it.
    pub leaked: u64,
    /// The median of the time from when a message was due to its receipt, to a hundredth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<u64>,
    /// 99 % of these times were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
}

impl NodePairResult {
    /// How often anything was found wrong.
    pub fn faults(&self) -> u64 {
        self.missing + self.duplicate + self.disordered + self.leaked
    }
}

/// How long after its acknowledgement a join took effect at other nodes, as far as messages showed it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JoinSpreadResult {
    /// Messages from another node, sent within the audit's spread after the acknowledgement, that were received.
    pub received: u64,
    /// Those that were not.
    pub not_received: u64,
    /// The longest from the acknowledgement to the sending of a message that was not received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_us: Option<u64>,
}
