//! Scenarios from what a team has already: a file of another tool goes in, a scenario with comments comes out.
//!
//! Each source has a file or a folder of its own. All of them fill a `draft`, which writes the text, reads it again by the
//! parser of scenarios, and turns what is refused there into a note. So whatever comes out is a good scenario, and whatever
//! has no counterpart is listed with its line.

pub mod artillery;
mod draft;
mod flow_style;
pub mod har;
pub mod recording;

use std::fmt;

use crate::measure::format::printable;

pub use draft::MOST_BYTES;
pub use recording::{Answer, Content, LONGEST_ANSWER, LONGEST_SENT, Recorded, Request};

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

impl Imported {
    /// What has to be told of it: what is left out, what is not quite as it was, and what has to be set.
    pub fn remarks(&self) -> Vec<String> {
        let noted = |(kind, title): (Kind, &str)| {
            let notes = self.notes.iter().filter(|note| note.kind == kind);
            let notes: Vec<String> =
                notes.map(|note| format!("  {}", printable(&note.to_string()))).collect();
            (!notes.is_empty()).then(|| format!("{title}\n{}", notes.join("\n")))
        };
        let kinds = [
            (Kind::LeftOut, "left out, because a scenario has no counterpart:"),
            (Kind::Changed, "not quite as it was:"),
        ];
        let variables =
            || format!("note: set these environment variables first: {}", self.environment.join(", "));
        let variables = (!self.environment.is_empty()).then(variables);
        kinds.into_iter().filter_map(noted).chain(variables).collect()
    }

    /// How much of the source is not in it, in a sentence.
    pub fn how_much_is_left_out(&self) -> String {
        match self.notes.iter().filter(|note| note.kind == Kind::LeftOut).count() {
            0 => "Everything has a counterpart.".to_owned(),
            1 => "1 thing is left out; the file says at its head which.".to_owned(),
            many => format!("{many} things are left out; the file says at its head which."),
        }
    }
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
