//! The three forms for people of a [`Report`](super::block::Report): functions from blocks to text, which print nothing.

mod html;
mod markdown;
mod terminal;

pub(crate) use html::{assets_of_site, page_of_site};
pub use html::{frame, html};
pub use markdown::markdown;
pub(crate) use terminal::list;
pub use terminal::{Look, terminal, terminal_blocks};

/// A line of a file.
fn place(file: &str, line: u32) -> String {
    match file.is_empty() {
        true => format!("line {line}"),
        false => format!("{file}:{line}"),
    }
}
