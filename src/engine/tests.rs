//! Whole workers: over a network in memory under a simulated clock, and once over real sockets.

mod harness;
mod latency;
mod server;
mod sockets;
mod tolerance;
mod worker;
