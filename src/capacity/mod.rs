//! The highest load at which the thresholds of a scenario hold, and what it means for many users.
//!
//! `runner/search.rs` plays what [`search`] asks for; [`point`] reads each run, [`curve`] lays the curves through them,
//! [`plan`] reckons machines, [`result`], [`text`] and [`to_html`] tell. Pure.

pub mod curve;
mod html;
pub mod plan;
pub mod point;
pub mod result;
pub mod search;
pub mod text;

pub use html::to_html;
pub use point::{Point, outcome};
pub use result::{Asked, CapacityResult, Recovery};
pub use search::{Found, Grain, Next, Outcome, Search, Server, Settings, Step};
