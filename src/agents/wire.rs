//! What the parties of a run say to each other, as bytes, and under which subjects.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::broker::Broker;
use crate::audit::{Bulletin, Parcel};
use crate::engine::{Order, Report};
use crate::step::ShownValue;

/// Everybody who waits for work answers to this.
pub(super) const WHO: &str = "sockrates.who";

/// Programs of the same version understand each other, and no others.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Changes whenever what is said here means something else.
const DIALECT: u8 = 5;

/// What comes before every message, so that programs of other versions are told apart before anything else is read.
pub(super) fn mark() -> String {
    format!("sockrates {VERSION}/{DIALECT}")
}

/// The subject under which one agent is called.
pub(super) fn of_agent(id: &str) -> String {
    format!("sockrates.agent.{id}")
}

/// The subject for answers to one asker.
pub(super) fn of_reply(id: &str) -> String {
    format!("sockrates.reply.{id}")
}

/// The subjects of a run begin so. Nobody who was not told can guess them.
pub(super) fn of_run(run: &str, rest: &str) -> String {
    format!("sockrates.run.{run}.{rest}")
}

/// A name that nobody can guess.
pub(super) fn random_name() -> String {
    let mut chance = fastrand::Rng::new();
    (0..4).map(|_| format!("{:08x}", chance.u32(..))).collect()
}

/// An agent, as it answers to the question who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    /// Under which it is called.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// What its user says of it, like `zone=eu`.
    pub(crate) labels: Vec<String>,
    /// Its version.
    pub(crate) version: String,
    /// How many workers it has.
    pub(crate) workers: u16,
    /// How many files it may open. None where that has no limit.
    pub(crate) files: Option<u64>,
    /// Whether it plays in a run.
    pub(crate) is_busy: bool,
}

/// A coordinator calls an agent to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) version: String,
    pub(super) run: String,
    /// Which of the agents it is.
    pub(super) me: u16,
    /// The numbers of the workers of each: from, and to without that one.
    pub(super) shares: Vec<(u32, u32)>,
    /// The SHA-256 of the plan.
    pub(super) hash: [u8; 32],
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Comes,
    /// A sentence without its full stop.
    Refuses(String),
}

/// What a coordinator says to all agents of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    /// All that the plan is made of.
    Package(Vec<u8>),
    /// The run begins at that time of the coordinator's clock.
    Start(Duration),
    /// Something for the workers. Before it is done, what other agents had said has to be heard: how much of each.
    Order(Order, Vec<u64>),
    /// The run is over, or does not take place.
    Over,
}

/// What an agent says to the coordinator, when it had said so much to the other agents.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Letter {
    pub(super) told: u64,
    pub(super) said: Said,
}

/// What an agent says to the coordinator.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// It is ready to start; how long the quickest round trip to the coordinator took.
    Ready(Duration),
    /// It cannot take part: a sentence without its full stop.
    Refused(String),
    /// Of its workers.
    Report(Report),
    /// What must not stand in any output.
    Secrets(Vec<String>),
    /// It leaves before the end: why.
    Leaves(String),
}

/// What an agent says to the other agents.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Aside {
    /// What all have to know of what one of its auditors tells.
    Bulletin(Box<Bulletin>),
    /// What its clients show.
    Shown(Vec<ShownValue>),
    /// What one of its auditors tells those of the other agent alone.
    Parcels(Vec<Parcel>),
}

/// What an agent says to the coordinator now and then. The others hear of it by the coordinator alone: so what is said while nothing
/// happens grows with the number of agents, and not with its square.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beat {
    pub(super) from: u16,
    /// What it expects next of the coordinator.
    pub(super) of_coordinator: u64,
    /// What it expects next of each agent.
    pub(super) of_agents: Vec<u64>,
    /// How far its clock may be from the coordinator's, and how often it was set.
    pub(super) doubt: Duration,
    pub(super) jumps: u32,
    /// How far it is ahead of the coordinator's in nanoseconds.
    pub(super) offset: i64,
}

/// What the coordinator says to all agents now and then. Of each agent:
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pulse {
    /// What the coordinator expects next of it.
    pub(super) expected: Vec<u64>,
    /// What every other agent has heard of it.
    pub(super) heard: Vec<u64>,
    /// How far its clock may be from the coordinator's.
    pub(super) doubts: Vec<Duration>,
}

impl Pulse {
    pub(super) fn say(&self, broker: &Broker, run: &str) {
        broker.publish(of_run(run, "pulse"), encode(self));
    }
}

/// The question what time it is, and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Time {
    pub(super) from: u16,
    /// When that was asked, by the clock of who asks.
    pub(super) asked: Duration,
    /// What the coordinator's clock shows.
    pub(super) shows: Duration,
}

/// A message as bytes.
pub(super) fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    postcard::to_stdvec(message).expect("these messages have nothing that has no form in bytes")
}

/// A message from bytes of whoever. None where they are no such message.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    postcard::from_bytes(bytes).ok()
}
