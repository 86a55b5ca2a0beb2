//! The delivery audit: did everyone who should get a message get it, once, in order, and nobody else?
//!
//! A pair is one message and one socket. What is known of a server is only what a client saw of it: a join took
//! effect somewhere between asking for it and its acknowledgement, a message was handled somewhere between sending
//! it and the first sign of that: its acknowledgement, its first receipt, or such a sign of a later message of the sender,
//! where the server handles them in order. From these intervals the audit says of each pair that the socket **must** receive
//! the message, **must not**, or **may** (both were in flight together). So a correct server is never accused.
//!
//! Every message carries a [`stamp`]; clients report what they do and see as an [`AuditEvent`]. A [`Ledger`] takes the events
//! of some clients, judges each message when its window closes, and forgets it: constant work for each receipt, memory for
//! the open windows alone. Ledgers tell each other what they have to know ([`Auditor`], [`Batch`]), each judges its own
//! clients, and their [`Findings`] are added up. Pure: time is an argument, counted from the beginning of the run.

mod courses;
mod coverage;
mod events;
mod exchange;
mod fanout;
mod fault;
mod findings;
mod judgement;
mod ledger;
mod maps;
mod membership;
mod moment;
mod nodes;
mod open;
mod proof;
mod receipts;
mod rooms;
mod sender;
mod span;
pub mod stamp;
#[cfg(test)]
mod tests;
mod undecided;

pub use coverage::{Coverage, ENOUGH, Gap};
pub use events::{ANY_EVENT, AuditEvent, Key, Moment, Order, Origin, Sender, SentMessage};
#[cfg(test)]
pub(crate) use exchange::finish;
pub use exchange::{Auditor, Batch, Bulletin, Parcel, home};
pub use fanout::{Fanout, FanoutPart, Quickest, Reached};
pub use fault::{Fault, Leak};
pub use findings::{Findings, KEPT, Offence, UndecidedPair};
pub use ledger::{FirstReceipt, Ledger};
#[cfg(test)]
pub(crate) use nodes::tests_of_nodes;
pub use nodes::{Disturbances, Disturbed, JoinSpread, NodePair, NodePairs, Spread, UNKNOWN_NODE, between};
pub use rooms::AskedRoom;
pub use sender::ConnectionEnd;
pub use span::{Certainty, MembershipSpan, MembershipSpans};
pub use undecided::{Undecided, UndecidedCounts};
