//! The forms of results that are asked for, and where they go.
//!
//! A file is put in place anew whenever there is another result; what goes to standard output goes there once, at the end.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{is_folder, is_stdout};
use super::single::Single;
use super::{Error, prove_writable, prove_writable_folder};
use crate::conformance::{self, SuiteResult};
use crate::report::{Report, RunResult, csv, hgrm, hlog, html, json, junit, markdown, of_runs};

/// Puts a text to its place: the path, what it is in words, and the text.
pub(crate) type Put<'a> = dyn Fn(&Path, &str, &str) -> Result<(), Error> + 'a;

/// Where the forms of results go that are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    /// What `sockrates report` reads.
    pub json: Option<PathBuf>,
    /// A page.
    pub html: Option<PathBuf>,
    /// A summary.
    pub markdown: Option<PathBuf>,
    /// JUnit XML.
    pub junit: Option<PathBuf>,
    /// The course of runs.
    pub csv: Option<PathBuf>,
    /// Distributions of latencies: a file, or a folder.
    pub hgrm: Option<PathBuf>,
    /// Latencies over time.
    pub hlog: Option<PathBuf>,
}

impl Paths {
    /// What is asked for of runs.
    pub(crate) fn of_runs<'a>(&'a self, runs: &'a [RunResult]) -> Forms<'a> {
        let (folder, file) = match self.hgrm.as_deref() {
            Some(path) if is_folder(path) => (Some(path), None),
            file => (None, file),
        };
        self.with_pages(self.json_of_runs(runs), || of_runs(runs))
            .with(self.junit.as_deref(), "JUnit results", || junit::to_junit(runs))
            .with(self.csv.as_deref(), "course", || csv::to_csv(runs))
            .with(self.hlog.as_deref(), "interval log", || hlog::to_hlog(runs))
            .with(file, "distributions", || hgrm::all_in_one(runs))
            .with_folder(folder, runs)
    }

    /// Of what is asked for of runs, the results as data alone.
    pub(crate) fn json_of_runs<'a>(&'a self, runs: &'a [RunResult]) -> Forms<'a> {
        Forms::default().with(self.json.as_deref(), "results", || json::to_json(runs))
    }

    /// What is asked for of suites. With `strict`, warnings count as failures.
    pub(crate) fn of_suites<'a>(&'a self, suites: &'a [SuiteResult], strict: bool) -> Forms<'a> {
        let json = || conformance::json::to_json(suites);
        self.with_pages(Forms::default().with(self.json.as_deref(), "results", json), move || {
            conformance::report(suites, strict)
        })
        .with(self.junit.as_deref(), "JUnit results", move || conformance::junit::to_junit(suites, strict))
    }

    /// What is asked for of a result that is alone in its file.
    pub(crate) fn of_single<'a>(&'a self, result: &'a dyn Single) -> Forms<'a> {
        let json = || result.json();
        self.with_pages(Forms::default().with(self.json.as_deref(), "result", json), || result.report())
    }

    /// What is asked for, as long as there is no result.
    pub(crate) fn of_nothing(&self) -> Forms<'_> {
        self.of_runs(&[])
    }

    /// These, and the forms for people.
    fn with_pages<'a>(&'a self, forms: Forms<'a>, report: impl Fn() -> Report + Copy + 'a) -> Forms<'a> {
        let forms = forms.with(self.html.as_deref(), "page", move || html(&report()));
        forms.with(self.markdown.as_deref(), "summary", move || markdown(&report()))
    }

    /// Refuses what the results of this verb cannot be had as: all but these.
    ///
    /// # Errors
    /// When something else is asked for.
    pub(super) fn refuse_all_but(&self, verb: &str, has: &[&str]) -> Result<(), Error> {
        let asked = [
            ("HTML", "--html", &self.html),
            ("JUnit", "--junit", &self.junit),
            ("Markdown", "--markdown", &self.markdown),
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

/// When results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// More are going to come.
    SoFar,
    /// These are all.
    AtTheEnd,
}

/// The forms of some results that are asked for.
#[derive(Default)]
pub(crate) struct Forms<'a>(Vec<Form<'a>>);

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
    pub(crate) fn with(
        mut self,
        path: Option<&'a Path>,
        what: &'static str,
        render: impl Fn() -> String + 'a,
    ) -> Forms<'a> {
        self.0.extend(path.map(|path| Form { path, what, render: Render::Text(Box::new(render)) }));
        self
    }

    /// These, and the distributions of some runs as a folder, where its path is given.
    pub(crate) fn with_folder(mut self, path: Option<&'a Path>, runs: &'a [RunResult]) -> Forms<'a> {
        let form = |path| Form { path, what: "distribution", render: Render::Folder(runs) };
        self.0.extend(path.map(form));
        self
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Refuses two forms that would share standard output or a file.
    ///
    /// # Errors
    /// When there are two.
    pub(crate) fn check(&self) -> Result<(), Error> {
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
    pub(crate) fn prepare(&self) -> Result<(), Error> {
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

    /// Whether one of them goes to standard output.
    pub(crate) fn take_stdout(&self) -> bool {
        self.0.iter().any(|form| is_stdout(form.path))
    }

    /// Writes them: all that can be written, even if one cannot.
    ///
    /// # Errors
    /// Which of them could not be written.
    pub(crate) fn write(&self, when: When, put: &Put<'_>) -> Result<(), Error> {
        let forms = self.0.iter().filter(|form| when == When::AtTheEnd || !is_stdout(form.path));
        let failed: Vec<String> =
            forms.filter_map(|form| form.write(put).err()).map(|error| error.words).collect();
        if failed.is_empty() { Ok(()) } else { Err(Error::wrong(failed.join("\n"))) }
    }
}

impl Form<'_> {
    fn write(&self, put: &Put<'_>) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::write_whole;

    fn put(path: &Path, what: &str, text: &str) -> Result<(), Error> {
        write_whole(path, text)
            .map_err(|error| Error::because(format!("failed to write the {what}: {error}")))
    }

    #[test]
    fn two_forms_do_not_share_a_place() {
        let both = |one: &'static str, other: &'static str| {
            let forms = Forms::default().with(Some(Path::new(one)), "page", String::new);
            forms.with(Some(Path::new(other)), "summary", String::new).check()
        };
        assert!(both("-", "a").is_ok());
        assert!(both("/dev/null", "/dev/null").is_ok());
        for (place, words) in
            [("-", "cannot share standard output"), ("a", "cannot share a: name another file")]
        {
            let refused = both(place, place).expect_err("it is one place");
            assert!(refused.words.contains(words), "{refused:?}");
        }
    }

    #[test]
    fn a_form_that_cannot_be_written_does_not_take_the_others_with_it() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("b.txt");
        let forms = Forms::default().with(Some(folder.path()), "page", String::new);
        let forms = forms.with(Some(&file), "summary", || "all is well".to_owned());
        let failed = forms.write(When::AtTheEnd, &put).expect_err("a folder is no file");
        assert!(failed.words.contains("failed to write the page"), "{failed:?}");
        assert_eq!(fs::read_to_string(&file).expect("it was written"), "all is well");
    }
}
