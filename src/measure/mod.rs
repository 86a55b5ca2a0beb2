//! What was observed, counted: latency series, counters, checks per step, troubles by cause.
//!
//! Each worker owns one [`Tally`] and observes into it without a lock; at the end the tallies are merged by
//! adding counts, never by averaging. [`crate::observe`] names what can be counted; [`crate::verdict`] judges a
//! tally and [`crate::report`] renders one. Memory is bounded by the plan and by constants, never by what
//! a server does.

mod checks;
mod figures;
pub mod format;
mod live;
mod script_info;
mod series;
mod tally;
mod troubles;

pub use checks::{FAILURES_KEPT, StepTally};
pub use figures::{Answers, Figures, Taken};
pub use live::{Audited, Coarse, Gauges, Interval, Live, Window};
pub use script_info::{GroupInfo, ScriptInfo, StepInfo};
pub use series::{DecodeError, HIGHEST, Handful, Series};
pub use tally::Tally;
pub use troubles::{CAUSES_KEPT, Instance, OTHER_CAUSES, Trouble, Troubles};
