//! Results and how they are shown: a [`RunResult`] is plain data, a renderer is a function from it to text.
//!
//! [`collect()`] makes a result from what was counted ([`crate::measure`]) and judged ([`crate::verdict`]). One file
//! per format; a renderer prints nothing and reads no clock, so a stored result can be rendered again at any time.

mod collect;
pub mod course;
pub mod csv;
#[cfg(test)]
pub(crate) mod example;
pub mod file;
pub mod github;
pub mod hgrm;
pub mod hlog;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod offences;
pub mod result;
pub mod text;
mod time;

pub use collect::{Account, Run, collect};
pub use result::RunResult;
pub use time::rfc3339;
