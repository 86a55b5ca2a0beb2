//! The options that say in which forms results are written. The report for people goes to standard error where one of the
//! forms takes standard output.

use std::path::PathBuf;

use clap::Args;

use super::display::Display;
use super::{complain, look_of_stdout, put, say};
use crate::report::{Detail, terminal};
use crate::runner::{Error, Event, Forms, Paths, Single, When, is_stdout};

/// The heading of the forms in the help.
const RESULTS: &str = "Results (`-` is standard output)";

/// Forms for people, which every result has
#[derive(Debug, Args)]
struct PageArgs {
    /// Write the results to this file, as one page of HTML
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    html: Option<PathBuf>,
    /// Write a summary to this file, as Markdown for a pull request
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    markdown: Option<PathBuf>,
}

/// Forms that the results of runs and those of suites have
#[derive(Debug, Args)]
#[command(next_help_heading = RESULTS)]
pub(super) struct DocumentArgs {
    #[command(flatten)]
    pages: PageArgs,
    /// Write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Forms in which the results are written
#[derive(Debug, Args)]
#[command(next_help_heading = RESULTS)]
pub(super) struct FormatArgs {
    #[command(flatten)]
    documents: DocumentArgs,
    /// Write the course of the runs to this file, as CSV: a row for each interval
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the latencies as percentile distributions of HdrHistogram: into a folder, a file for each; or to one file
    #[arg(long, value_name = "FILE_OR_FOLDER")]
    hgrm: Option<PathBuf>,
    /// Write the latencies over time to this file, as an interval log of HdrHistogram
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,
}

/// Where the one result of a verb goes
#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// Write the result to this file
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    json: Option<PathBuf>,
    #[command(flatten)]
    pages: PageArgs,
}

impl PageArgs {
    fn paths(&self) -> Paths {
        Paths { html: self.html.clone(), markdown: self.markdown.clone(), ..Paths::default() }
    }
}

impl DocumentArgs {
    /// Where what is asked for goes.
    pub(super) fn paths(&self) -> Paths {
        Paths { junit: self.junit.clone(), ..self.pages.paths() }
    }
}

impl FormatArgs {
    /// Where what is asked for goes.
    pub(super) fn paths(&self) -> Paths {
        let (csv, hgrm, hlog) = (self.csv.clone(), self.hgrm.clone(), self.hlog.clone());
        Paths { csv, hgrm, hlog, ..self.documents.paths() }
    }
}

impl OutputArgs {
    /// Where what is asked for goes.
    pub(super) fn paths(&self) -> Paths {
        Paths { json: self.json.clone(), ..self.pages.paths() }
    }

    /// Prints what was found, and writes the forms that are asked for.
    pub(super) fn show(&self, result: &dyn Single) -> Result<(), Error> {
        let paths = self.paths();
        let forms = paths.of_single(result);
        tell(&forms, terminal(&result.report(), look_of_stdout(), Detail::Usual).trim_end());
        write(&forms, When::AtTheEnd)
    }

    /// Shows how it goes, and stores the result so far, so that a crash loses little. A failure ends nothing: the file is
    /// written again at the end, and a failure is reported then.
    pub(super) fn listener(&self, quiet: bool) -> impl FnMut(Event<'_>) -> Result<(), Error> {
        let mut display = Display::new(quiet);
        let file = self.json.clone().filter(|file| !is_stdout(file));
        move |event: Event<'_>| {
            if let (Event::ResultSoFar(so_far), Some(file)) = (&event, &file)
                && let Some(result) = so_far()
            {
                let _ = put(file, "result", &result.json());
            }
            display.show(&event)
        }
    }
}

/// Prints for people: on standard error where standard output is taken by a form of the results.
pub(super) fn tell(forms: &Forms<'_>, text: &str) {
    match forms.take_stdout() {
        true => complain(text),
        false => say(text),
    }
}

/// Writes all forms that can be written, even if one cannot.
pub(super) fn write(forms: &Forms<'_>, when: When) -> Result<(), Error> {
    forms.write(when, &put)
}
