//! Engine.IO protocol v4, and v3 where it is allowed: sessions over HTTP long-polling and WebSocket.
//!
//! From below: `packet` and `payload` are pure codecs, `request` judges query parameters; `session` keeps the state of one
//! client and hands what it receives to the layer above; `heartbeat`, `polling` and `upgrade` are parts of it;
//! `websocket` drives it from frames, `endpoint` from requests. `jsonp` wraps payloads for pages of that time. In what v3
//! differs is in `older`.

pub(crate) mod endpoint;
mod heartbeat;
mod jsonp;
pub(crate) mod older;
pub(crate) mod packet;
pub(crate) mod payload;
mod polling;
pub(crate) mod request;
pub(crate) mod session;
mod upgrade;
mod waiting;
mod websocket;
