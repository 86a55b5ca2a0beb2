//! WebSocket, RFC 6455: `frame` reads and writes frames, `handshake` judges the request. Both are pure.

pub(crate) mod frame;
pub(crate) mod handshake;
