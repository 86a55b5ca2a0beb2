//! Socket.IO protocol v5: namespaces, events, acknowledgements and rooms on top of Engine.IO messages.
//!
//! `packet`, `args`, `decoder`, `message`, `rooms` and `recovery` are pure. `client` drives one connection,
//! `namespace` one namespace, `socket` one client in one namespace. `spoil` is what faults do to packets,
//! `wear` what they do now and then.

pub(crate) mod ack;
pub mod args;
pub(crate) mod client;
pub mod decoder;
pub mod message;
pub(crate) mod namespace;
pub mod packet;
pub mod reason;
pub mod recovery;
pub mod rooms;
#[allow(clippy::module_inception)]
pub(crate) mod socket;
pub(crate) mod spoil;
pub(crate) mod wear;
