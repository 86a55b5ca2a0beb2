//! Where a verb that finds one thing, a highest load or a comparison, puts it, and whether it shows how it goes.
//!
//! A file is put in place anew whenever more is known; what goes to standard output goes there once, at the end, and the
//! report for people then goes to standard error.

use std::path::{Path, PathBuf};

use clap::Args;

use super::formats::one_at_most;
use super::play::Stopped;
use super::progress::Mode;
use super::{complain, is_stdout, put, say};
use crate::measure::format::printable;

/// The heading of the forms in the help.
pub(super) const RESULTS: &str = "Results (`-` is standard output)";

/// Where the result goes
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Write the result to this file
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    json: Option<PathBuf>,
    /// Write the result to this file, as one page of HTML
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    html: Option<PathBuf>,
    /// Do not show how it goes
    #[arg(long, short)]
    quiet: bool,
}

/// What was found, in every form that can be asked for.
pub(super) struct Forms<'a> {
    /// For people.
    pub(super) text: String,
    pub(super) json: &'a dyn Fn() -> String,
    pub(super) html: &'a dyn Fn() -> String,
    /// Where the table for a pull request goes, and how it is made.
    pub(super) markdown: Option<(&'a Path, &'a dyn Fn() -> String)>,
}

impl OutputArgs {
    /// Refuses two forms that would share standard output. `more` is where a further form goes.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn check(&self, more: Option<&Path>) -> Result<(), Stopped> {
        let paths = [self.json.as_deref(), self.html.as_deref(), more].into_iter().flatten();
        one_at_most(paths).map(drop).map_err(Stopped::error)
    }

    /// How runs are watched.
    pub(super) fn mode(&self) -> Mode {
        if self.quiet { Mode::Hidden } else { Mode::Auto }
    }

    /// Says what is done next, or what came of it.
    pub(super) fn show(&self, words: &str) {
        if !self.quiet {
            complain(&printable(words));
        }
    }

    /// Keeps what is known so far, if anything is, so that a crash loses little.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, json: impl FnOnce() -> Option<String>) -> Result<(), Stopped> {
        let file = self.json.as_deref().filter(|file| !is_stdout(file));
        match file.and_then(|file| Some((file, json()?))) {
            Some((file, json)) => put(file, "result", &json).map_err(Stopped::error),
            None => Ok(()),
        }
    }

    /// Tells what was found, and writes the forms of it.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub(super) fn finish(&self, forms: &Forms<'_>) -> Result<(), Stopped> {
        let asked = [
            self.json.as_deref().map(|file| (file, "result", forms.json)),
            self.html.as_deref().map(|file| (file, "page", forms.html)),
            forms.markdown.map(|(file, render)| (file, "summary", render)),
        ];
        let asked: Vec<_> = asked.into_iter().flatten().collect();
        let text = forms.text.trim_matches('\n');
        match asked.iter().any(|(file, ..)| is_stdout(file)) {
            true => complain(text),
            false => say(text),
        }
        asked
            .into_iter()
            .try_for_each(|(file, what, render)| put(file, what, &render()).map_err(Stopped::error))
    }
}
