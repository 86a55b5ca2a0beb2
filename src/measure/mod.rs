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

/// `text` cut to at most `most` characters, with an ellipsis where something was cut.
///
/// What a server sends ends up in failures and troubles; this keeps it from growing them without bound.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("€€€€", 4), "€€€€");
        assert_eq!(shortened("€€€€€", 4), "€€€…");
    }
}
