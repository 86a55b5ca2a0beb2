//! The forms in which results are written: which the command line asks for, and where they go.
//!
//! A file is put in place anew whenever there is another result; what goes to standard output goes there once, at the
//! end, and the report for people then goes to standard error.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{complain, is_stdout, put, say};
use crate::conformance::{self, SuiteResult};
use crate::report::{RunResult, csv, hgrm, hlog, html, json, junit, markdown, of_runs};
use crate::runner::{Error, is_folder, prove_writable, prove_writable_folder};

/// Forms that the results of runs and those of suites have
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results (`-` is standard output)")]
pub(super) struct DocumentArgs {
    /// Write the results to this file, as one page of HTML
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a summary to this file, as Markdown for a pull request
    #[arg(long, value_name = "FILE")]
    pub(super) markdown: Option<PathBuf>,
}

/// Forms in which the results are written
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Results (`-` is standard output)")]
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

/// When results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// More are going to come.
    SoFar,
    /// These are all.
    AtTheEnd,
}

/// The forms of some results that are asked for.
#[derive(Default)]
pub(super) struct Forms<'a>(Vec<Form<'a>>);

/// A form: where it goes, what it holds in words, and how it is rendered.
struct Form<'a> {
    path: &'a Path,
    what: &'static str,
    render: Render<'a>,
}

enum Render<'a> {
    Text(Box<dyn Fn() -> String + 'a>),
    /// The distributions of these runs, a file for each series.
    Folder(&'a [RunResult]),
}

impl<'a> Forms<'a> {
    /// These, and a text where its path is given.
    pub(super) fn with(
        mut self,
        path: Option<&'a Path>,
        what: &'static str,
        render: impl Fn() -> String + 'a,
    ) -> Forms<'a> {
        self.0.extend(path.map(|path| Form { path, what, render: Render::Text(Box::new(render)) }));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses two forms that would share standard output or a file.
    ///
    /// # Errors
    /// When there are two.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_taken = |(index, form): &(usize, &Form<'_>)| {
            form.path != Path::new("/dev/null")
                && self.0[..*index].iter().any(|other| other.path == form.path)
        };
        match self.0.iter().enumerate().find(is_taken) {
            None => Ok(()),
            Some((_, form)) if is_stdout(form.path) => Err(Error::because(
                "two forms of the results cannot share standard output: name a file for one",
            )),
            Some((_, form)) => Err(Error::because(format!(
                "two forms of the results cannot share {}: name another file for one",
                form.path.display()
            ))),
        }
    }

    /// Proves that all of them can be written at the end, before anything runs whose result would be lost. Folders that
    /// are missing are created.
    ///
    /// # Errors
    /// Which one cannot be written, and why.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        for Form { path, what, render } in self.0.iter().filter(|form| !is_stdout(form.path)) {
            let proved = match render {
                Render::Text(_) => prove_writable(path),
                Render::Folder(_) => prove_writable_folder(path),
            };
            proved.map_err(|why| {
                Error::because(format!("cannot write the {what} to {}: {why}", path.display()))
            })?;
        }
        Ok(())
    }

    /// Prints for people: on standard error where standard output is taken by a form of the results.
    pub(super) fn tell(&self, text: &str) {
        match self.0.iter().any(|form| is_stdout(form.path)) {
            true => complain(text),
            false => say(text),
        }
    }

    /// Writes them: all that can be written, even if one cannot.
    ///
    /// # Errors
    /// Which of them could not be written.
    pub(super) fn write(&self, when: When) -> Result<(), Error> {
        let forms = self.0.iter().filter(|form| when == When::AtTheEnd || !is_stdout(form.path));
        let failed: Vec<String> =
            forms.filter_map(|form| form.write().err()).map(|error| error.words).collect();
        if failed.is_empty() { Ok(()) } else { Err(Error::wrong(failed.join("\n"))) }
    }
}

impl Form<'_> {
    fn write(&self) -> Result<(), Error> {
        let Form { path, what, render } = self;
        match render {
            Render::Text(render) => put(path, what, &render()),
            Render::Folder(runs) => {
                let files = hgrm::of_each(runs).map_err(Error::because)?;
                fs::create_dir_all(path).map_err(|error| {
                    Error::because(format!("failed to create the folder {}: {error}", path.display()))
                })?;
                files.iter().try_for_each(|(name, text)| put(&path.join(name), what, text))
            }
        }
    }
}

impl DocumentArgs {
    /// What is asked for of suites, with the JSON document in `json`. Strictly, warnings count as failures.
    pub(super) fn of_suites<'a>(
        &'a self,
        json: Option<&'a Path>,
        suites: &'a [SuiteResult],
        strict: bool,
    ) -> Forms<'a> {
        Forms::default()
            .with(json, "results", || conformance::json::to_json(suites))
            .with(self.html.as_deref(), "page", move || html(&conformance::report(suites, strict)))
            .with(self.junit.as_deref(), "JUnit results", move || {
                conformance::junit::to_junit(suites, strict)
            })
            .with(self.markdown.as_deref(), "summary", move || markdown(&conformance::report(suites, strict)))
    }
}

impl FormatArgs {
    /// What is asked for of runs, with the JSON document in `json`.
    pub(super) fn of_runs<'a>(&'a self, json: Option<&'a Path>, runs: &'a [RunResult]) -> Forms<'a> {
        let DocumentArgs { html: page, junit, markdown: summary } = &self.documents;
        let (folder, file) = match self.hgrm.as_deref() {
            Some(path) if is_folder(path) => (Some(path), None),
            file => (None, file),
        };
        let mut forms = Forms::default()
            .with(json, "results", || json::to_json(runs))
            .with(page.as_deref(), "page", || html(&of_runs(runs)))
            .with(junit.as_deref(), "JUnit results", || junit::to_junit(runs))
            .with(summary.as_deref(), "summary", || markdown(&of_runs(runs)))
            .with(self.csv.as_deref(), "course", || csv::to_csv(runs))
            .with(self.hlog.as_deref(), "interval log", || hlog::to_hlog(runs))
            .with(file, "distributions", || hgrm::all_in_one(runs));
        forms.0.extend(folder.map(|path| Form { path, what: "distribution", render: Render::Folder(runs) }));
        forms
    }

    /// Refuses what the results of this verb cannot be had as: all but these.
    ///
    /// # Errors
    /// When something else is asked for.
    pub(super) fn refuse_all_but(&self, verb: &str, has: &[&str]) -> Result<(), Error> {
        let DocumentArgs { html, junit, markdown } = &self.documents;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_forms_do_not_share_standard_output() {
        let dash = || Some(PathBuf::from("-"));
        let one = FormatArgs { csv: dash(), ..FormatArgs::default() };
        assert!(one.of_runs(None, &[]).check().is_ok());
        assert!(one.of_runs(Some(Path::new("a.json")), &[]).check().is_ok());
        assert!(one.of_runs(Some(Path::new("-")), &[]).check().is_err());
    }

    #[test]
    fn two_forms_do_not_share_a_file() {
        let csv = FormatArgs { csv: Some(PathBuf::from("a")), ..FormatArgs::default() };
        assert!(csv.of_runs(Some(Path::new("b")), &[]).check().is_ok());
        let refused = csv.of_runs(Some(Path::new("a")), &[]).check().expect_err("it is one file");
        assert!(refused.words.contains("cannot share a: name another file"), "{refused:?}");
    }

    #[test]
    fn a_form_that_cannot_be_written_does_not_take_the_others_with_it() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("b.txt");
        let forms = Forms::default().with(Some(folder.path()), "page", String::new);
        let forms = forms.with(Some(&file), "summary", || "all is well".to_owned());
        let failed = forms.write(When::AtTheEnd).expect_err("a folder is no file");
        assert!(failed.words.contains("failed to write the page"), "{failed:?}");
        assert_eq!(fs::read_to_string(&file).expect("it was written"), "all is well");
    }
}
