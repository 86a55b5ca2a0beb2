//! What benchmarks need: servers to compare, ways to play a scenario before one and to keep account, and the median.

#![allow(dead_code, reason = "each bench uses its own part of it")]

pub(crate) mod alone;
pub(crate) mod floor;
pub(crate) mod own;
pub(crate) mod process;
pub(crate) mod raw_server;
pub(crate) mod statistics;
