//! Statistics of few measurements: how sure a figure is, whether two differ, and which curve lies through some points.
//!
//! Everything is a function of its arguments. Where chance is used, its seed is an argument, so the same numbers give the
//! same answer. The rooms `capacity` and `compare` ask the questions; `tests/statistics.rs` compares the answers
//! with those of SciPy and statsmodels.
//!
//! Measurements are few (ten blocks, a dozen loads) and not normally distributed, so intervals are bootstrapped and
//! widened as t is wider than z, and tests are permutation tests, which are exact for any number of blocks.

pub mod bootstrap;
pub mod change;
pub mod knee;
pub mod line;
pub mod power;
pub mod sample;
pub mod signs;
pub mod usl;
pub mod warm_up;

pub use bootstrap::{Bootstrap, Interval};
pub use sample::{deviation, mean, median, quantile};
