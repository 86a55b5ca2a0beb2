//! What benchmarks need: servers to compare, ways to play a scenario before one and to keep account, and the median.

#![allow(dead_code, reason = "each bench uses its own part of it")]

pub mod alone;
pub mod floor;
pub mod own;
pub mod process;
pub mod raw_server;
pub mod statistics;
