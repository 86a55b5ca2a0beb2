//! The options that write a report as a page or as a summary.

use std::path::PathBuf;

use clap::Args;

use crate::report::{Report, html, markdown};
use crate::runner::Forms;

/// The heading of the forms in the help.
pub(super) const RESULTS: &str = "Results (`-` is standard output)";

/// Forms for people, which every result has
#[derive(Debug, Default, Args)]
pub(super) struct PageArgs {
    /// Write the results to this file, as one page of HTML
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    pub(super) html: Option<PathBuf>,
    /// Write a summary to this file, as Markdown for a pull request
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    pub(super) markdown: Option<PathBuf>,
}

impl PageArgs {
    /// These forms, and the ones that are asked for here.
    pub(super) fn with<'a>(&'a self, forms: Forms<'a>, report: impl Fn() -> Report + Copy + 'a) -> Forms<'a> {
        let forms = forms.with(self.html.as_deref(), "page", move || html(&report()));
        forms.with(self.markdown.as_deref(), "summary", move || markdown(&report()))
    }
}
