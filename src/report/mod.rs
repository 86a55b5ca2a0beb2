//! Results and how they are shown: a [`RunResult`] is plain data, and every form is a function from it to text.
//!
//! [`collect()`] makes a result from what was counted ([`crate::measure`]) and judged ([`crate::verdict`]). For people, a
//! result becomes a list of [`block`]s ([`of_run`], [`of_runs`]), which [`terminal`], [`html()`] and [`markdown()`] show.
//! The forms for programs are one file each. Nothing here prints or reads a clock, so a stored result can be rendered again
//! at any time.

pub mod block;
pub(crate) mod chart;
mod clean;
mod collect;
pub mod course;
pub mod csv;
#[cfg(test)]
pub(crate) mod example;
mod families;
pub mod file;
pub mod github;
pub mod hgrm;
pub mod hlog;
pub mod json;
pub mod junit;
pub(crate) mod junit_xml;
pub mod live;
mod nodes;
mod offences;
pub mod openmetrics;
pub(crate) mod otlp;
mod render;
pub mod result;
pub(crate) mod run;
mod target;
mod time;
mod tone;

pub use block::{Detail, Report};
pub(crate) use clean::clean;
pub use collect::{Account, Run, collect};
pub(crate) use render::list;
pub use render::{Look, frame, html, markdown, terminal, terminal_blocks};
pub(crate) use render::{assets_of_site, page_of_site};
pub use result::RunResult;
pub use run::{how_many_passed, of_run, of_runs, text_of_run};
pub use time::rfc3339;
