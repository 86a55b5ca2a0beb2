//! Scenarios from what a team has already: a file of another tool goes in, a scenario with comments comes out.
//!
//! Each source has a file or a folder of its own. All of them fill a `draft`, which writes the text, reads it again by the
//! parser of scenarios, and turns what is refused there into a note. So whatever comes out is a good scenario, and whatever
//! has no counterpart is listed with its line.

pub mod artillery;
mod draft;
mod flow_style;
pub mod har;

use std::fmt;

pub use draft::MOST_BYTES;

/// A scenario that was made of a file of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The text of the scenario. `sockrates check` accepts it.
    pub text: String,
    /// What is not, or not quite, as it was.
    pub notes: Vec<Note>,
    /// Files that have to stand beside the scenario: their names, and what they hold.
    pub files: Vec<(String, String)>,
    /// Environment variables that have to be set when the scenario is read.
    pub environment: Vec<String>,
}

/// Something of the source that is not, or not quite, in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line of the source, from 1; 0 for what stands in no line.
    pub line: u32,
    /// How much of it is in the scenario.
    pub kind: Kind,
    /// What it is, in a sentence.
    pub what: String,
}

/// How much of something is in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing: the language of scenarios has no counterpart.
    LeftOut,
    /// Something that does nearly the same.
    Changed,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}
