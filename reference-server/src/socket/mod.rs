//! Socket.IO protocol v5: namespaces, events, acknowledgements and rooms on top of Engine.IO messages.
//!
//! From below: `packet`, `args`, `decoder`, `message`, `rooms`, `told` and `recovery` are pure. `namespace` keeps the members of
//! one namespace, `connection` what the sockets of one connection share, `elsewhere` tells and asks the other nodes of a
//! cluster, `socket` is one client in one namespace and speaks to the application; `ack` is answers both ways, `client` drives
//! one connection, `hearing` does what other nodes tell, `older` is what was otherwise in v4.

pub(crate) mod ack;
pub(crate) mod args;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod decoder;
pub(crate) mod elsewhere;
pub(crate) mod hearing;
pub(crate) mod message;
mod msgpack;
pub(crate) mod namespace;
mod older;
pub(crate) mod packet;
pub(crate) mod recovery;
pub(crate) mod rooms;
#[allow(clippy::module_inception)]
pub(crate) mod socket;
pub(crate) mod told;
