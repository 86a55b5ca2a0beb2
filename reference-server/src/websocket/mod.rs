//! WebSocket, RFC 6455: `frame` is pure, `handshake` judges the request, `connection` does the reading and
//! writing.

pub(crate) mod connection;
pub mod frame;
pub(crate) mod handshake;
