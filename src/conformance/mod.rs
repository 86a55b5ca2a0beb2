//! The conformance suite: which cases there are, what each of them found, and what that says of a server. Pure.
//!
//! A case is a scenario whose file stands in `scenarios/conformance/`; its path is its id and never changes. `runner/suite/`
//! plays the cases; here is what is known before and after.

pub mod baseline;
pub mod case;
#[cfg(test)]
pub(crate) mod example;
pub mod feature;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod matrix;
pub mod result;
pub mod select;
pub mod text;
pub mod verdict;

pub use case::{Case, Variant};
pub use feature::Feature;
pub use result::{CaseResult, SuiteResult};
pub use verdict::Verdict;
