//! The forms of results that are asked for, and where they go.
//!
//! A file is put in place anew whenever there is another result; what goes to standard output goes there once, at the end.

use std::fs;
use std::path::Path;

use super::files::is_stdout;
use super::{Error, prove_writable, prove_writable_folder};
use crate::report::{RunResult, hgrm};

/// Puts a text to its place: the path, what it is in words, and the text.
pub(crate) type Put<'a> = dyn Fn(&Path, &str, &str) -> Result<(), Error> + 'a;

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
