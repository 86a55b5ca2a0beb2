//! Files of what is known of a server: what a suite is compared with, and what is going to be written.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::Cases;
use crate::conformance::baseline::{Baseline, WHAT_IT_IS};
use crate::conformance::{SuiteResult, Verdict};
use crate::document::{Mistake, Source, hint_at, render};
use crate::report::result::BUNDLED;
use crate::runner::Error;

/// What is known of servers that many people run; a baseline is called by the name of its file.
static KNOWN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/baselines");

/// The baselines inside the binary, each with its name.
fn bundled() -> impl Iterator<Item = (&'static str, Source)> {
    KNOWN.files().filter_map(|file| {
        let name = file.path().to_str()?.strip_suffix(".yaml")?;
        let source = Source { name: format!("{name}.yaml{BUNDLED}"), text: file.contents_utf8()?.to_owned() };
        Some((name, source))
    })
}

fn is_bundled(called: &Path) -> bool {
    !is_there(called) && bundled().any(|(name, _)| called.to_str() == Some(name))
}

/// Whether a file is called so. A folder of the server's may be called like a baseline.
fn is_there(called: &Path) -> bool {
    called.exists() && !called.is_dir()
}

/// The text of a baseline that is called by its name or by its path. A file wins over a name.
fn source(called: &Path) -> Result<Source, Error> {
    let name = called.to_str().filter(|_| !is_there(called));
    if let Some((_, source)) = name.and_then(|name| bundled().find(|(other, _)| *other == name)) {
        return Ok(source);
    }
    Source::read(called).map_err(|mistake| {
        let names: Vec<&str> = bundled().map(|(name, _)| name).collect();
        let hint = match name.filter(|name| !name.contains(['/', '.'])) {
            Some(name) => hint_at(name, names.iter().copied(), || {
                format!("give the path of a file, or one of these: {}", names.join(", "))
            }),
            None => {
                let mistake = mistake.hint_of_file(WHAT_IT_IS);
                return Error::wrong(render(&mistake, &Source::named(called)));
            }
        };
        Error::wrong(render(&Mistake { hint: Some(hint), ..mistake }, &Source::named(called)))
    })
}

/// What is known before a suite is run.
#[derive(Debug, Default)]
pub(crate) struct Baselines {
    /// What it is compared with, and how that is called.
    known: Option<(String, Baseline)>,
    /// Whether that is a bundled one: about a kind of server, of which yours need not have the fixture.
    is_bundled: bool,
    /// The file that is going to be written, and what stands in it.
    written: Option<(String, Option<Baseline>)>,
}

impl Baselines {
    /// Reads the baseline with which a suite is compared, and what stands in the one that is going to be written.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub(crate) fn read(
        known: Option<&Path>,
        write: Option<&Path>,
        cases: &Cases,
    ) -> Result<Baselines, Error> {
        let read = |file: &Path| {
            let source = source(file)?;
            Baseline::read(&source, &cases.all).map_err(|mistake| Error::wrong(render(&mistake, &source)))
        };
        let name = |file: &Path| file.display().to_string();
        let is_bundled = known.is_some_and(is_bundled);
        let known = known.map(|file| Ok((name(file), read(file)?))).transpose()?;
        let before = |file: &Path| if file.exists() { read(file).map(Some) } else { Ok(None) };
        let written = write.map(|file| Ok((name(file), before(file)?))).transpose()?;
        Ok(Baselines { known, is_bundled, written })
    }

    /// Compares with what is known, or with what is known from now on. Gives the text of the file that is going to be
    /// written.
    pub(crate) fn compare(&self, suite: &mut SuiteResult) -> Option<String> {
        let known = self.known.as_ref();
        match &self.written {
            Some((name, before)) => {
                let before = known.map(|(_, known)| known).or(before.as_ref());
                let now = Baseline::of(&suite.name, before, &suite.cases, &suite.findings, &suite.versions);
                suite.baseline =
                    Some(now.compare(name.clone(), &suite.cases, &suite.findings, &suite.versions));
                Some(now.text())
            }
            None => {
                suite.baseline = known.map(|(name, known)| {
                    let mut compared =
                        known.compare(name.clone(), &suite.cases, &suite.findings, &suite.versions);
                    if self.is_bundled {
                        compared.new.retain(|row| row.now != Verdict::Skip);
                        compared.gone.retain(|row| row.listed != Some(Verdict::Skip));
                    }
                    compared
                });
                None
            }
        }
    }

    /// The bundled baseline that lists exactly what deviates, if there is one.
    pub(crate) fn like(cases: &Cases, suite: &SuiteResult) -> Option<String> {
        let lists_exactly = |source: &Source| {
            let Ok(baseline) = Baseline::read(source, &cases.all) else { return false };
            let compared = baseline.compare(String::new(), &suite.cases, &suite.findings, &suite.versions);
            let is_deviation = |verdict: Option<Verdict>| verdict.is_some_and(Verdict::is_deviation);
            let is_new = compared.new.iter().any(|row| row.now.is_deviation() || is_deviation(row.listed));
            !is_new && !compared.gone.iter().any(|row| is_deviation(row.listed))
        };
        let deviates = suite.cases.iter().any(|case| case.verdict.is_deviation());
        let mut alike = bundled().filter(|(_, source)| deviates && lists_exactly(source));
        alike.next().map(|(name, _)| name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Verdict;
    use crate::conformance::example::{result, suite};

    fn cases() -> Cases {
        Cases::read(None).expect("the bundled cases are right")
    }

    #[test]
    fn a_suite_that_is_written_down_has_nothing_new_and_says_so_in_the_next_run() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("known.yaml");
        let mut first = suite("node", vec![result("handshake/open", None, Verdict::Fail)]);
        let baselines = Baselines::read(None, Some(&file), &cases()).expect("nothing is there yet");
        let text = baselines.compare(&mut first).expect("it is to be written");
        let compared = first.baseline.expect("it was compared");
        assert_eq!((compared.new.len(), compared.gone.len()), (0, 0));
        assert!(compared.known > 0, "{text}");
    }

    #[test]
    fn a_baseline_is_called_by_its_name_and_another_name_is_refused() {
        let read = |name: &str| Baselines::read(Some(Path::new(name)), None, &cases());
        assert!(read("node").is_ok_and(|baselines| baselines.known.is_some()));
        let words = read("nodee").expect_err("nobody is called so").words;
        assert!(words.contains("did you mean `node`?"), "{words}");
        let words = read("elixir").expect_err("nobody is called so").words;
        assert!(words.contains("one of these: node, socketioxide"), "{words}");
    }

    #[test]
    fn a_suite_that_shows_what_a_bundled_baseline_lists_is_like_that_server() {
        let listed = |verdict| result("packets/event-payload-missing", None, verdict);
        let pass = || result("handshake/polling-opens", None, Verdict::Pass);
        let like = |case| Baselines::like(&cases(), &suite("x", vec![pass(), case]));
        assert_eq!(like(listed(Verdict::Fail)), Some("node".to_owned()));
        assert_eq!(like(listed(Verdict::Note)), None);
        assert_eq!(like(pass()), None);
    }

    #[test]
    fn without_a_file_nothing_is_compared() {
        let mut suite = suite("node", Vec::new());
        assert_eq!(Baselines::default().compare(&mut suite), None);
        assert_eq!(suite.baseline, None);
    }
}
