//! What is told over HTTP while something runs: by a small server on an address of this machine, and to a collector.
//!
//! Both tell what others have put in place and never ask the run for anything, so a client or a collector that is slow, silent
//! or hostile costs the run nothing: one thread for each of a few connections, bounded requests and responses, and a time limit
//! on each read and write.

mod http;
mod live;
mod metrics;
mod push;
mod shared;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use http::{Reply, Request, Site};
pub(crate) use live::Live;
pub(crate) use metrics::Metrics;
pub(crate) use push::{Collector, Push};
use shared::Shared;

/// Thirty-two digits from the random numbers of the system.
pub(crate) fn unguessable() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
