//! The conformance suite: which cases there are, what each of them found, and what that says of a server. Pure.
//!
//! A case is a scenario whose file stands in `scenarios/conformance/`; its path is its id and never changes. `runner/suite/`
//! plays the cases; here is what is known before and after.

pub mod attribution;
pub mod baseline;
mod by_hand;
pub mod case;
pub mod clauses;
pub mod contract;
pub mod delay;
#[cfg(test)]
pub(crate) mod example;
pub mod feature;
pub mod github;
pub mod json;
pub mod junit;
pub mod owner;
mod report;
pub mod result;
pub mod select;
pub mod verdict;
pub mod versions;

pub use case::{Case, Variant};
pub use contract::OwnContract;
pub use feature::Feature;
pub use report::{counts, matrix, report};
pub use result::{CaseResult, SuiteResult};
pub use verdict::Verdict;
pub use versions::Versions;
