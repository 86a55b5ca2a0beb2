//! The options that say in which forms results are written. The report for people goes to standard error where one of the
//! forms takes standard output.

use std::path::{Path, PathBuf};

use clap::Args;

use super::pages::{PageArgs, RESULTS};
use super::{complain, put, say};
use crate::conformance::{self, SuiteResult};
use crate::report::{RunResult, csv, hgrm, hlog, json, junit, of_runs};
use crate::runner::{Error, Forms, When, is_folder};

/// Forms that the results of runs and those of suites have
#[derive(Debug, Default, Args)]
#[command(next_help_heading = RESULTS)]
pub(super) struct DocumentArgs {
    #[command(flatten)]
    pub(super) pages: PageArgs,
    /// Write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Forms in which the results are written
#[derive(Debug, Default, Args)]
#[command(next_help_heading = RESULTS)]
pub(super) struct FormatArgs {
    #[command(flatten)]
    pub(super) documents: DocumentArgs,
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

/// Prints for people: on standard error where standard output is taken by a form of the results.
pub(super) fn tell(forms: &Forms<'_>, text: &str) {
    match forms.take_stdout() {
        true => complain(text),
        false => say(text),
    }
}

/// Writes all forms that can be written, even if one cannot.
///
/// # Errors
/// Which of them could not be written.
pub(super) fn write(forms: &Forms<'_>, when: When) -> Result<(), Error> {
    forms.write(when, &put)
}

impl DocumentArgs {
    /// What is asked for of suites, with the JSON document in `json`. Strictly, warnings count as failures.
    pub(super) fn of_suites<'a>(
        &'a self,
        json: Option<&'a Path>,
        suites: &'a [SuiteResult],
        strict: bool,
    ) -> Forms<'a> {
        let forms = Forms::default().with(json, "results", || conformance::json::to_json(suites));
        let forms = self.pages.with(forms, move || conformance::report(suites, strict));
        forms.with(self.junit.as_deref(), "JUnit results", move || {
            conformance::junit::to_junit(suites, strict)
        })
    }
}

impl FormatArgs {
    /// What is asked for of runs, with the JSON document in `json`.
    pub(super) fn of_runs<'a>(&'a self, json: Option<&'a Path>, runs: &'a [RunResult]) -> Forms<'a> {
        let DocumentArgs { pages, junit } = &self.documents;
        let (folder, file) = match self.hgrm.as_deref() {
            Some(path) if is_folder(path) => (Some(path), None),
            file => (None, file),
        };
        pages
            .with(Forms::default().with(json, "results", || json::to_json(runs)), || of_runs(runs))
            .with(junit.as_deref(), "JUnit results", || junit::to_junit(runs))
            .with(self.csv.as_deref(), "course", || csv::to_csv(runs))
            .with(self.hlog.as_deref(), "interval log", || hlog::to_hlog(runs))
            .with(file, "distributions", || hgrm::all_in_one(runs))
            .with_folder(folder, runs)
    }

    /// Refuses what the results of this verb cannot be had as: all but these.
    ///
    /// # Errors
    /// When something else is asked for.
    pub(super) fn refuse_all_but(&self, verb: &str, has: &[&str]) -> Result<(), Error> {
        let DocumentArgs { pages: PageArgs { html, markdown }, junit } = &self.documents;
        let asked = [
            ("HTML", "--html", html),
            ("JUnit", "--junit", junit),
            ("Markdown", "--markdown", markdown),
            ("CSV", "--csv", &self.csv),
            ("hgrm", "--hgrm", &self.hgrm),
            ("hlog", "--hlog", &self.hlog),
        ];
        match asked.iter().find(|(form, _, path)| path.is_some() && !has.contains(form)) {
            None => Ok(()),
            Some((_, flag, _)) => Err(Error::because(format!(
                "`{flag}` is for results of `run`{}: those of `{verb}` can be had as text, {}",
                if ["--junit", "--markdown"].contains(flag) { " and some others" } else { "" },
                has.join(", ")
            ))),
        }
    }
}
