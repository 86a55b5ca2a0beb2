//! The delivery audit: did everyone who should get a message get it, once, in order, and nobody else?
//!
//! A pair is one message and one socket. What is known of a server is only what a client saw of it: a join took
//! effect somewhere between asking for it and its acknowledgement, a message was handled somewhere between sending
//! it and its acknowledgement. From these intervals the audit says of each pair that the socket **must** receive
//! the message, **must not**, or **may** (both were in flight together). So a correct server is never accused.
//!
//! [`Ledger`] takes what the clients of one worker did and saw, judges each message when its window closes, and
//! forgets it: constant work for each receipt, memory for the open windows alone. Workers tell each other of the
//! messages that their clients sent ([`SentMessage`]); each judges its own clients; [`Findings`] are added up. Pure:
//! time is an argument, counted from the beginning of the run.

mod events;
mod fanout;
mod fault;
mod findings;
mod judgement;
mod ledger;
mod maps;
mod membership;
mod open;
mod receipts;
mod span;
pub mod stamp;
#[cfg(test)]
mod tests;

pub use events::{AuditEvent, Key, Moment, Origin, Sender, SentMessage};
pub use fanout::{Fanout, FanoutPart, Reached};
pub use fault::{Fault, Leak};
pub use findings::{Findings, KEPT, Offence};
pub use ledger::Ledger;
pub use membership::Mark;
pub use span::{Certainty, MembershipSpan, MembershipSpans};
