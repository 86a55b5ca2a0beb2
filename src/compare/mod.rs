//! Servers side by side: which of them is better, in which figure, and how sure that is.
//!
//! `runner/comparison.rs` plays the same scenario against each of them, block by block ([`order()`]); here runs become figures
//! ([`figure`]), figures of many blocks become judgements ([`judge()`]), and those become a [`ComparisonResult`]. [`report()`]
//! makes blocks of it. [`stored`] compares results of other days, which become [`Diff`]. Pure.

pub(crate) mod conformance;
pub(crate) mod deaths;
pub(crate) mod demand;
pub(crate) mod diff;
pub(crate) mod figure;
pub(crate) mod judge;
mod order;
mod report;
pub(crate) mod result;
#[cfg(test)]
pub(crate) mod schema;
pub(crate) mod stored;
pub(crate) mod trend;

pub(crate) use conformance::Conformance;
pub(crate) use deaths::Deaths;
pub(crate) use demand::{Demand, judge as judge_demands};
pub(crate) use diff::Diff;
pub(crate) use judge::Question;
pub(crate) use order::order;
pub(crate) use report::{diff_report, report, trend_report};
pub(crate) use result::{Block, ComparisonResult, Contest, conclude};

#[cfg(test)]
pub(crate) mod example;
