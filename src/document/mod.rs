//! YAML text → a tree in which every value knows where it was written.
//!
//! The language has no second reading: what YAML lets two readers understand differently (`012`, `1_000`,
//! `True`, tags, duplicate keys, several documents) is refused with a sentence, so a file means the same to
//! its author, to sockrates and to any other YAML reader. Everything above reads [`Node`]s through
//! [`Fields`], which makes unknown keys impossible to overlook.
//!
//! Spec: YAML 1.2.2, core schema (chapter 10.3), with `true` and `false` as the only booleans.

mod closest;
mod complaint;
mod fields;
mod forms;
mod hidden;
mod mistake;
mod node;
mod parse;
mod render;
mod scalar;
pub mod schema;
mod shortened;
mod slip;
mod source;
mod span;
#[cfg(test)]
mod tests;

pub use closest::closest;
pub(crate) use closest::hint_at;
pub use fields::Fields;
pub use mistake::Mistake;
pub use node::{Key, Node, Value};
pub use parse::parse;
pub use render::{render, render_warning};
pub(crate) use shortened::shortened;
pub(crate) use source::cause;
pub use source::{SIZE_LIMIT, Source};
pub use span::Span;
