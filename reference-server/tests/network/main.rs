//! The server as clients see it, over real sockets on free ports.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod support;

mod acknowledgements;
mod broadcasting;
mod broken;
mod capacity;
mod closing;
mod cluster;
mod handshake;
mod heartbeat;
mod hostile;
mod http;
mod namespaces;
mod packets;
mod page;
mod polling;
mod program;
mod recovery;
mod upgrade;
mod websocket;
