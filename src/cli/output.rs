//! Where a verb that finds one thing, a highest load or a comparison, puts it, and whether it shows how it goes.

use std::path::PathBuf;

use clap::Args;

use super::formats::{tell, write};
use super::pages::{PageArgs, RESULTS};
use super::{look_of_stdout, put};
use crate::report::{Detail, Report, terminal};
use crate::runner::{Error, Forms, When, is_stdout};

/// Where the result goes
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Write the result to this file
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    json: Option<PathBuf>,
    #[command(flatten)]
    pages: PageArgs,
}

impl OutputArgs {
    /// What is asked for.
    fn forms<'a>(
        &'a self,
        to_json: impl Fn() -> String + 'a,
        report: impl Fn() -> Report + Copy + 'a,
    ) -> Forms<'a> {
        self.pages.with(Forms::default().with(self.json.as_deref(), "result", to_json), report)
    }

    /// What is asked for, as long as there is nothing to write.
    pub(super) fn empty_forms(&self) -> Forms<'_> {
        self.forms(String::new, Report::default)
    }

    /// Prints what was found, and writes the forms that are asked for.
    pub(super) fn show(&self, to_json: impl Fn() -> String, report: &Report) -> Result<(), Error> {
        let forms = self.forms(to_json, || report.clone());
        tell(&forms, terminal(report, look_of_stdout(), Detail::Usual).trim_end());
        write(&forms, When::AtTheEnd)
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
