//! The wire: bytes and text on one side, values on the other, and nothing else.
//!
//! Every codec here is pure: no socket, no clock, no state beyond the bytes that are still due. The session
//! above decides *when* something may be said; this room decides only *whether it is spelled right*. What a peer
//! spells wrong is a [`Violation`]: a finding with the rule it broke, not an error of ours. Hostile input costs
//! time linear in its length, memory up to the stated limits, and never a panic.
//!
//! | module | layer | specification |
//! |---|---|---|
//! | [`http`] | requests and responses of long-polling and of the WebSocket handshake | RFC 9112 |
//! | [`set_cookie`] | cookies as responses set them | RFC 6265 |
//! | [`websocket`] | frames and messages | RFC 6455 |
//! | `http3` | what HTTP/3 says around a session of WebTransport, where the feature is built in | RFC 9114 |
//! | [`webtransport`] | packets on a stream of WebTransport | engine.io-parser 5.2 |
//! | [`engine_io`] | packets and the `open` handshake | Engine.IO protocol v4 |
//! | [`payload`] | several packets in one long-polling body | Engine.IO protocol v4 |
//! | [`counted`] | the same before: each with its length in front | Engine.IO protocol v3 |
//! | [`jsonp`] | payloads as calls of JavaScript and as forms | Engine.IO protocol v3 |
//! | [`socket_io`] | packets inside Engine.IO messages | Socket.IO protocol v5 |
//! | [`attachments`] | binary events and acknowledgements put together again | Socket.IO protocol v5 |
//! | [`msgpack`] | packets of the parser msgpack, in place of both | socket.io-msgpack-parser |
//!
//! In what the versions of the protocol differ is told by a [`dialect`].
//!
//! The encoders write what they are told, also what no decent client would say: a tool that examines servers has
//! to be able to be rude. Each says which of its inputs leave the protocol.

pub mod attachments;
pub mod counted;
pub mod deflate;
pub mod dialect;
pub mod engine_io;
pub mod http;
#[cfg(feature = "webtransport")]
pub mod http3;
pub mod jsonp;
pub mod msgpack;
pub mod payload;
mod placeholder;
pub mod set_cookie;
pub mod socket_io;
mod violation;
pub mod websocket;
pub mod webtransport;

pub use placeholder::{placeholder, placeholder_num};
pub(crate) use violation::excerpt;
pub use violation::{Rule, Violation};
