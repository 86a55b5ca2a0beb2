//! Engine.IO protocol v4: sessions over HTTP long-polling and WebSocket.
//!
//! `packet` and `payload` are pure; `request` judges query parameters; `session` keeps the state of one
//! client; `polling` and `upgrade` are the two ways that touch it besides a plain WebSocket.

pub(crate) mod heartbeat;
pub mod packet;
pub mod payload;
pub(crate) mod polling;
pub mod request;
pub(crate) mod session;
pub(crate) mod upgrade;
