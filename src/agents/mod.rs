//! Many machines: agents that play a part of the clients each, and a coordinator that conducts them, over NATS.
//!
//! To the conductor of [`crate::engine`] a machine is a worker, or several: it says an [`crate::engine::Order`] and hears a
//! [`crate::engine::Report`], whether the worker is a thread or on another machine. What auditors tell each other and clients show each
//! other passes between the agents in the same way as between threads.
//!
//! Whatever is said is numbered and said again until it was heard ([`link`]), so that a broker may lose, double and reorder, and
//! may restart. Before an order is obeyed, everything has been heard that other agents had said before it was given. Subjects of a
//! run have a random name. Nothing of this is needed on one machine.
//!
//! | file | job |
//! |---|---|
//! | `link` | streams that arrive once and in order |
//! | `pairs` | the same between each two, for what nobody else has to know |
//! | `clock` | how far two clocks are apart, with bounds |
//! | `nearness` | how far the clocks of two agents are apart, by the messages of the run |
//! | `time` | the time that all have in common, as an agent knows it |
//! | `wire` | what is said, as bytes |
//! | `broker` | the connection to NATS |
//! | `gathering` | who is there, and calling them to a run |
//! | `fleet` | the coordinator's side while a run goes on |
//! | `member` | an agent's side |
//! | `others` | what it and the other agents say to each other |

mod broker;
mod clock;
mod fleet;
mod gathering;
mod link;
mod member;
mod nearness;
mod others;
mod pairs;
#[cfg(test)]
mod tests;
mod time;
mod wire;

use std::time::Duration;

pub(crate) use broker::BrokerConfig;
pub(crate) use fleet::{Fleet, Member};
pub(crate) use gathering::{MOST_AGENTS, NotGathered, SeenAgent, Wanted, gather, who_is_there};
pub(crate) use member::{Agent, Job, Played, no_run};

/// How often everybody says that it is there, and what it has heard.
const PULSE: Duration = Duration::from_millis(250);

/// How often what nobody has heard is said again.
const AGAIN: Duration = Duration::from_millis(500);

/// Of whom nothing is heard for so long is dead or cut off.
const CUT_OFF: Duration = Duration::from_secs(5);

/// The same where the broker was away meanwhile: one that is back within the time above has to be found again, and everybody
/// has to be heard.
const BROKER_GONE: Duration = Duration::from_secs(8);
