//! What is told over HTTP while something runs: a small server on an address of this machine.
//!
//! It answers from what others have put in place and never asks the run for anything, so a client that is slow, silent or
//! hostile costs the run nothing: one thread for each of a few connections, a bounded request, and a time limit on each read
//! and write.

mod http;
mod live;
mod metrics;

use http::{Reply, Request, Site};
pub(crate) use live::Live;
pub(crate) use metrics::Metrics;
