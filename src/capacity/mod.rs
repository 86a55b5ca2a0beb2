//! The highest load at which the thresholds of a scenario hold, and what it means for many users.
//!
//! `runner/search.rs` plays what [`search`] asks for; [`point`] reads each run, [`curve`] lays the curves through them,
//! [`plan`] calculates machines, [`report()`] makes the blocks of its [`result`]; [`growth`] is about several numbers of nodes. Pure.

pub(crate) mod curve;
mod curves;
pub(crate) mod growth;
pub(crate) mod plan;
pub(crate) mod point;
mod report;
pub(crate) mod result;
#[cfg(test)]
pub(crate) mod schema;
pub(crate) mod search;

pub(crate) use growth::report::report as growth_report;
pub(crate) use growth::{GrowthResult, GrowthStep};
pub(crate) use point::{Point, outcome};
pub(crate) use report::report;
pub(crate) use result::{Asked, CapacityResult, Recovery};
pub(crate) use search::{Found, Grain, Next, Search, Server, Settings, Step, StepOutcome};
