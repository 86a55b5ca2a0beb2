//! HTTP/1.1, as much as Engine.IO needs.
//!
//! Written here rather than on a library because the protocol hangs on details of connections: an abandoned
//! poll closes its session, a second POST is refused while the body of the first is still arriving, a body
//! that is too long is answered before it is read. `request` and `body` are pure.

pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod request;
pub(crate) mod response;
