//! Where a verb that finds one thing, a highest load or a comparison, puts it, and whether it shows how it goes.
//!
//! A file is put in place anew whenever more is known; what goes to standard output goes there once, at the end, and the
//! report for people then goes to standard error.

use std::path::{Path, PathBuf};

use clap::Args;

use super::formats::one_at_most;
use super::play::Stopped;
use super::progress::Mode;
use super::{complain, is_stdout, look_of_stdout, put, say};
use crate::measure::format::printable;
use crate::report::{Detail, Report, html, markdown, terminal};

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

    /// Prints what was found, and writes the forms of it that were asked for; as Markdown, into `summary`.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub(super) fn finish(
        &self,
        result: &str,
        report: &Report,
        summary: Option<&Path>,
    ) -> Result<(), Stopped> {
        let text = terminal(report, look_of_stdout(), Detail::Usual);
        let files = [self.json.as_deref(), self.html.as_deref(), summary];
        match files.into_iter().flatten().any(is_stdout) {
            true => complain(text.trim_end()),
            false => say(text.trim_end()),
        }
        let write = |file: Option<&Path>, what: &str, text: &dyn Fn() -> String| match file {
            Some(file) => put(file, what, &text()).map_err(Stopped::error),
            None => Ok(()),
        };
        write(self.json.as_deref(), "result", &|| result.to_owned())?;
        write(self.html.as_deref(), "page", &|| html(report))?;
        write(summary, "summary", &|| markdown(report))
    }
}
