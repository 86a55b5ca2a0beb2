//! Where a verb that finds one thing, a highest load or a comparison, puts it, and whether it shows how it goes.

use std::path::{Path, PathBuf};

use clap::Args;

use super::display::Display;
use super::formats::{tell, write};
use super::{look_of_stdout, put};
use crate::report::{Detail, Report, html, markdown, terminal};
use crate::runner::{Error, Forms, When, is_stdout};

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
    /// Do not show progress
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

    /// What is asked for, as long as there is nothing to write. `markdown`: where a summary goes.
    pub(super) fn empty_forms<'a>(&'a self, markdown: Option<&'a Path>) -> Forms<'a> {
        self.forms(String::new, String::new).with(markdown, "summary", String::new)
    }

    /// Prints what was found, and writes the forms that are asked for. `summary`: where one as Markdown goes.
    pub(super) fn show(
        &self,
        to_json: impl Fn() -> String,
        report: &Report,
        summary: Option<&Path>,
    ) -> Result<(), Error> {
        let forms = self.forms(to_json, || html(report)).with(summary, "summary", || markdown(report));
        tell(&forms, terminal(report, look_of_stdout(), Detail::Usual).trim_end());
        write(&forms, When::AtTheEnd)
    }

    /// What shows how it goes.
    pub(super) fn display(&self) -> Display {
        Display::new(self.quiet)
    }

    /// Stores the result so far, if there is one, so that a crash loses little. A failure ends nothing: the file is
    /// written again at the end, and a failure is reported then.
    pub(super) fn keep(&self, so_far: impl FnOnce() -> Option<String>) {
        let file = self.json.as_deref().filter(|file| !is_stdout(file));
        if let Some((file, json)) = file.and_then(|file| Some((file, so_far()?))) {
            let _ = put(file, "result", &json);
        }
    }
}
