//! The highest load at which the thresholds of a scenario hold, and what it means for many users.
//!
//! `runner/search.rs` plays what [`search`] asks for; [`point`] reads each run, [`curve`] lays the curves through them,
//! [`plan`] calculates machines, [`report()`] makes the blocks of its [`result`]. Pure.

pub mod curve;
mod curves;
pub mod plan;
pub mod point;
mod report;
pub mod result;
pub mod search;

pub use point::{Point, outcome};
pub use report::{report, sentence};
pub use result::{Asked, CapacityResult, Recovery};
pub use search::{Found, Grain, Next, Outcome, Search, Server, Settings, Step};
