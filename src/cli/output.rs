//! Where a verb that finds one thing, a highest load or a comparison, puts it, and whether it shows how it goes.

use std::path::{Path, PathBuf};

use clap::Args;

use super::display::Display;
use super::formats::Forms;
use super::{is_stdout, put};
use crate::runner::Error;

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

impl OutputArgs {
    /// What is asked for.
    pub(super) fn forms<'a>(
        &'a self,
        to_json: impl Fn() -> String + 'a,
        to_html: impl Fn() -> String + 'a,
    ) -> Forms<'a> {
        let (json, html) = (self.json.as_deref(), self.html.as_deref());
        Forms::default().with(json, "result", to_json).with(html, "page", to_html)
    }

    /// Refuses two forms that would share standard output. `markdown`: where a summary goes.
    ///
    /// # Errors
    /// When there are two.
    pub(super) fn check(&self, markdown: Option<&Path>) -> Result<(), Error> {
        self.forms(String::new, String::new).with(markdown, "summary", String::new).check()
    }

    /// What shows how it goes.
    pub(super) fn display(&self) -> Display {
        Display::new(self.quiet)
    }

    /// Keeps what is known so far, if anything is, so that a crash loses little.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, so_far: impl FnOnce() -> Option<String>) -> Result<(), Error> {
        let file = self.json.as_deref().filter(|file| !is_stdout(file));
        match file.and_then(|file| Some((file, so_far()?))) {
            Some((file, json)) => put(file, "result", &json),
            None => Ok(()),
        }
    }
}
