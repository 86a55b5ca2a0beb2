//! WebTransport sessions beside the connections over TCP: one socket, one QUIC connection and one stream a client.
//!
//! | module | job |
//! |---|---|
//! | `sessions` | the sessions of one worker: what is sent on them, and what arrives |
//! | `quic` | one QUIC connection with its session |
//! | `trust` | how QUIC is spoken, and which certificates are accepted |
//! | `missing` | in place of all of them where the program was built without |
//!
//! QUIC comes as a state machine without IO, so it is driven by the readiness and the timers that drive everything else.

#[cfg(not(feature = "webtransport"))]
mod missing;
#[cfg(feature = "webtransport")]
mod quic;
#[cfg(feature = "webtransport")]
mod sessions;
#[cfg(feature = "webtransport")]
mod trust;

#[cfg(feature = "webtransport")]
pub(super) use sessions::Sessions;

/// Whether this program can speak WebTransport.
pub const HAS_WEBTRANSPORT: bool = cfg!(feature = "webtransport");

/// The sockets of sessions have tokens from here on, each with the number of its client; below are the connections over TCP.
pub(super) const FIRST: usize = usize::MAX / 2 + 1;
