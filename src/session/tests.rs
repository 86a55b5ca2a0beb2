//! Whole dialogues of a session in memory: no socket, no clock, no sleep.
//!
//! [`talk`] plays a scripted server, line by line. [`server`] is a small model of a server of its own, which shares
//! no code with the session, for laws over random interleavings. A test that fails prints what was said.

mod server;
mod talk;

mod any_order;
mod closing;
mod events;
mod handshakes;
mod heartbeats;
mod interleavings;
mod namespaces;
mod older;
mod polling;
mod recovery;
mod upgrades;
mod violations;
mod webtransport;
