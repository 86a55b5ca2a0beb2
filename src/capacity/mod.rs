//! The highest load at which the thresholds of a scenario hold.
//!
//! `cli/capacity.rs` plays what [`search`] asks for.

pub mod search;
