//! The forms in which the results of runs are written: which the command line asks for, and where they go.
//!
//! A file is put in place anew whenever there is another result; what goes to standard output goes there once, at the
//! end, and the report for people then goes to standard error.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{is_stdout, put};
use crate::conformance::{self, SuiteResult};
use crate::report::result::BUNDLED;
use crate::report::{RunResult, csv, hgrm, hlog, html, json, junit, markdown, of_runs};

/// Forms that the results of runs and those of suites have
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results (`-` is standard output)")]
pub(super) struct DocumentArgs {
    /// Write the results to this file, as one page of HTML
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a summary to this file, as Markdown for a pull request
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Forms in which the results are written
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results (`-` is standard output)")]
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

/// A form that is one text.
struct Form {
    /// What the file holds, in words.
    what: &'static str,
    render: fn(&[RunResult]) -> String,
}

const JSON: Form = Form { what: "results", render: json::to_json };
const HTML: Form = Form { what: "page", render: |runs| html(&of_runs(runs)) };
const JUNIT: Form = Form { what: "JUnit results", render: junit::to_junit };
const MARKDOWN: Form = Form { what: "summary", render: |runs| markdown(&of_runs(runs)) };
const CSV: Form = Form { what: "course", render: csv::to_csv };
const HLOG: Form = Form { what: "interval log", render: hlog::to_hlog };
const HGRM: Form = Form { what: "distributions", render: hgrm::all_in_one };

/// When results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// More are going to come.
    SoFar,
    /// These are all.
    AtTheEnd,
}

impl FormatArgs {
    /// What is asked for beside the JSON document, and where it goes.
    fn forms(&self) -> Vec<(&Path, Form)> {
        let hgrm = self.hgrm.as_ref().filter(|path| !is_folder(path));
        let asked = [
            (&self.documents.html, HTML),
            (&self.documents.junit, JUNIT),
            (&self.documents.markdown, MARKDOWN),
            (&self.csv, CSV),
            (&self.hlog, HLOG),
        ];
        let mut forms: Vec<(&Path, Form)> =
            asked.into_iter().filter_map(|(path, form)| Some((path.as_deref()?, form))).collect();
        forms.extend(hgrm.map(|path| (path.as_path(), HGRM)));
        forms
    }

    /// The same for the results of suites.
    ///
    /// # Errors
    /// When a form is asked for that only runs have.
    pub(super) fn of_suites(&self, strict: bool) -> Result<SuiteForms<'_>, String> {
        let others = [("--csv", &self.csv), ("--hgrm", &self.hgrm), ("--hlog", &self.hlog)];
        match others.into_iter().find(|(_, path)| path.is_some()) {
            Some((flag, _)) => Err(format!(
                "`{flag}` is for results of `run`: those of `conform` can be had as text, HTML, JUnit and Markdown"
            )),
            None => Ok(SuiteForms { json: None, documents: &self.documents, strict }),
        }
    }

    /// Where a page and a summary go, of a comparison or a search for the highest load.
    ///
    /// # Errors
    /// When a form is asked for that they do not have.
    pub(super) fn of_one(&self) -> Result<(Option<&Path>, Option<&Path>), String> {
        let DocumentArgs { html, junit, markdown } = &self.documents;
        let others = [
            ("--junit", junit.as_ref()),
            ("--csv", self.csv.as_ref()),
            ("--hgrm", self.hgrm.as_ref()),
            ("--hlog", self.hlog.as_ref()),
        ];
        match others.into_iter().find(|(_, path)| path.is_some()) {
            Some((flag, _)) => Err(format!(
                "`{flag}` is for other results: those of `compare` and `capacity` can be had as text, HTML and Markdown"
            )),
            None => Ok((html.as_deref(), markdown.as_deref())),
        }
    }

    /// Whether anything is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.forms().is_empty() && self.hgrm.is_none()
    }

    /// Whether standard output is taken, so that nothing else may stand there.
    ///
    /// # Errors
    /// When two forms would stand there.
    pub(super) fn takes_stdout(&self, json: Option<&Path>) -> Result<bool, String> {
        one_at_most(self.forms().into_iter().map(|(path, _)| path).chain(json))
    }

    /// Writes what is asked for, with the JSON document in `json`.
    ///
    /// # Errors
    /// A fragment that reads well after "error: ".
    pub(super) fn write(&self, json: Option<&Path>, results: &[RunResult], when: When) -> Result<(), String> {
        let forms = json.map(|path| (path, JSON)).into_iter().chain(self.forms());
        for (path, form) in forms.filter(|(path, _)| when == When::AtTheEnd || !is_stdout(path)) {
            put(path, form.what, &(form.render)(results))?;
        }
        match &self.hgrm {
            Some(folder) if is_folder(folder) => distributions(folder, results),
            _ => Ok(()),
        }
    }
}

/// Where a form of a suite's result goes, what the file holds, and how it is rendered; strictly or not.
type SuiteForm<'a> = (Option<&'a Path>, &'static str, fn(&[SuiteResult], bool) -> String);

/// The forms in which the results of suites are asked for, and where each goes.
pub(super) struct SuiteForms<'a> {
    pub(super) json: Option<&'a Path>,
    pub(super) documents: &'a DocumentArgs,
    /// Whether warnings count as failures.
    pub(super) strict: bool,
}

impl SuiteForms<'_> {
    fn forms(&self) -> [SuiteForm<'_>; 4] {
        let DocumentArgs { html: page, junit, markdown: summary } = self.documents;
        [
            (self.json, "results", |suites, _| conformance::json::to_json(suites)),
            (page.as_deref(), "page", |suites, strict| html(&conformance::report(suites, strict))),
            (junit.as_deref(), "JUnit results", conformance::junit::to_junit),
            (summary.as_deref(), "summary", |suites, strict| markdown(&conformance::report(suites, strict))),
        ]
    }

    /// Whether standard output is taken, so that nothing else may stand there.
    ///
    /// # Errors
    /// When two forms would stand there.
    pub(super) fn takes_stdout(&self) -> Result<bool, String> {
        one_at_most(self.forms().into_iter().filter_map(|(path, ..)| path))
    }

    /// Writes what is asked for.
    ///
    /// # Errors
    /// A fragment that reads well after "error: ".
    pub(super) fn write(&self, suites: &[SuiteResult], when: When) -> Result<(), String> {
        for (path, what, render) in self.forms() {
            if let Some(path) = path.filter(|path| when == When::AtTheEnd || !is_stdout(path)) {
                put(path, what, &render(suites, self.strict))?;
            }
        }
        Ok(())
    }
}

/// Whether one of these is standard output.
///
/// # Errors
/// When several are.
pub(super) fn one_at_most<'p>(paths: impl Iterator<Item = &'p Path>) -> Result<bool, String> {
    match paths.filter(|path| is_stdout(path)).count() {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err("two forms of the results cannot share standard output: name a file for one".to_owned()),
    }
}

fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with(['/', std::path::MAIN_SEPARATOR])
}

/// A file for each series of each run: `chat.ack.hgrm`.
fn distributions(folder: &Path, results: &[RunResult]) -> Result<(), String> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("failed to make the folder {}: {error}", folder.display()))?;
    let stems: Vec<String> = results.iter().map(stem).collect();
    for (index, result) in results.iter().enumerate() {
        let alike = stems[..index].iter().filter(|other| **other == stems[index]).count();
        let number = if alike > 0 { format!("-{}", alike + 1) } else { String::new() };
        for metric in &result.metrics {
            let name = format!("{}{number}.{}.hgrm", stems[index], file_name(&metric.name));
            let text = hgrm::to_hgrm(metric).map_err(|why| {
                format!("failed to read the histogram `{}` of the result: {why}", metric.name)
            })?;
            put(&folder.join(name), "distribution", &text)?;
        }
    }
    Ok(())
}

/// The name of the scenario's file without its folder and ending.
fn stem(result: &RunResult) -> String {
    let file = result.scenario.file.trim_end_matches(BUNDLED);
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    file_name(&stem.unwrap_or_default())
}

/// Characters that every file system takes.
fn file_name(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = text.chars().map(kept).collect();
    match name.trim_start_matches('.') {
        "" => "run".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled};

    #[test]
    fn a_folder_gets_a_file_for_each_series_and_runs_of_one_file_do_not_overwrite_each_other() {
        let folder = tempfile::tempdir().expect("there is room");
        let mut evil = flawless();
        evil.scenario.file = "../..".into();
        let format = FormatArgs { hgrm: Some(folder.path().join("new/")), ..FormatArgs::default() };
        let results = [troubled(), troubled(), evil];
        format.write(None, &results, When::AtTheEnd).expect("it can be written");
        let mut names: Vec<String> = fs::read_dir(folder.path().join("new"))
            .expect("it was made")
            .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let expected = ["busy-rooms", "busy-rooms-2"].iter().flat_map(|stem| {
            ["ack", "connect", "connect.tcp", "delivery"].map(|name| format!("{stem}.{name}.hgrm"))
        });
        let mut expected: Vec<String> = expected.chain(["run.connect.hgrm".to_owned()]).collect();
        expected.sort();
        assert_eq!(names, expected);
    }

    #[test]
    fn two_forms_do_not_share_standard_output() {
        let dash = || Some(PathBuf::from("-"));
        let one = FormatArgs { csv: dash(), ..FormatArgs::default() };
        assert_eq!(one.takes_stdout(None), Ok(true));
        assert!(one.takes_stdout(Some(Path::new("-"))).is_err());
        assert_eq!(FormatArgs::default().takes_stdout(Some(Path::new("a.json"))), Ok(false));
    }
}
