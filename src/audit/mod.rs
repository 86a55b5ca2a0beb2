//! The delivery audit: did everyone who should get a message get it, once, in order, and nobody else?
//!
//! A pair is one message and one socket. What is known of a server is only what a client saw of it: a join took
//! effect somewhere between asking for it and its acknowledgement, a message was handled somewhere between sending
//! it and its acknowledgement. From these intervals the audit says of each pair that the socket **must** receive
//! the message, **must not**, or **may** (both were in flight together). So a correct server is never accused.
//!
//! [`Ledger`] takes what the clients of one worker did and saw, judges each message when its window closes, and
//! forgets it: constant work for each receipt, memory for the open windows alone. Workers tell each other of the
//! messages that their clients sent ([`Message`]); each judges its own clients; [`Findings`] are added up. Pure:
//! time is an argument, counted from the beginning of the run.

mod book;
mod fanout;
mod findings;
mod judgement;
mod ledger;
mod receipts;
mod stay;
#[cfg(test)]
mod tests;

pub use crate::observe::{Key, Message, Origin, Sender};
pub use fanout::{Fanout, Reached, Span};
pub use findings::{Findings, KEPT, Leak, Offence, Stays};
pub use ledger::{Ledger, Mark};
pub use stay::{Certainty, Stay};

/// A time, since the beginning of the run.
pub type Moment = std::time::Duration;

/// Maps whose keys are numbers of our own, or texts of a scenario: seeded by chance, and fast.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;
type Set<T> = std::collections::HashSet<T, foldhash::fast::RandomState>;
