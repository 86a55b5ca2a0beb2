//! Servers side by side: which of them is better, in which figure, and how sure that is.
//!
//! `runner/comparison.rs` plays the same scenario against each of them, block by block ([`order()`]); here runs become figures
//! ([`figure`]), figures of many blocks become judgements ([`judge()`]), and those become a [`ComparisonResult`] and its
//! texts. [`stored`] compares results of other days, which become [`Diff`]. Pure.

pub mod conformance;
pub mod demand;
pub mod diff;
pub mod figure;
mod html;
pub mod judge;
mod markdown;
mod order;
pub mod result;
pub mod schema;
pub mod stored;
pub mod text;

pub use conformance::Conformance;
pub use demand::Demand;
pub use diff::Diff;
pub use html::{to_html, two_days_to_html};
pub use judge::{Figures, Question, judge};
pub use markdown::{to_markdown, two_days_to_markdown};
pub use order::order;
pub use result::{Block, ComparisonResult, Contest, conclude};

#[cfg(test)]
pub(crate) mod example;
