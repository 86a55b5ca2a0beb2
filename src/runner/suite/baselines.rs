//! Files of what is known of a server: what a suite is compared with, and what is going to be written.

use std::path::Path;

use super::Cases;
use crate::conformance::SuiteResult;
use crate::conformance::baseline::Baseline;
use crate::document::{Source, render};
use crate::runner::Error;

/// What is known before a suite is run.
#[derive(Debug, Default)]
pub struct Baselines {
    /// What it is compared with, and how the file is called.
    known: Option<(String, Baseline)>,
    /// The file that is going to be written, and what stands in it.
    written: Option<(String, Option<Baseline>)>,
}

impl Baselines {
    /// Reads the baseline with which a suite is compared, and what stands in the one that is going to be written.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn read(known: Option<&Path>, write: Option<&Path>, cases: &Cases) -> Result<Baselines, Error> {
        let read = |file: &Path| {
            let source =
                Source::read(file).map_err(|mistake| Error::wrong(render(&mistake, &Source::named(file))))?;
            Baseline::read(&source, &cases.all).map_err(|mistake| Error::wrong(render(&mistake, &source)))
        };
        let name = |file: &Path| file.display().to_string();
        let known = known.map(|file| Ok((name(file), read(file)?))).transpose()?;
        let before = |file: &Path| if file.exists() { read(file).map(Some) } else { Ok(None) };
        let written = write.map(|file| Ok((name(file), before(file)?))).transpose()?;
        Ok(Baselines { known, written })
    }

    /// Compares with what is known, or with what is known from now on. Gives the text of the file that is going to be
    /// written.
    pub fn compare(&self, suite: &mut SuiteResult) -> Option<String> {
        let known = self.known.as_ref();
        match &self.written {
            Some((name, before)) => {
                let before = known.map(|(_, known)| known).or(before.as_ref());
                let now = Baseline::of(&suite.name, before, &suite.cases);
                suite.baseline = Some(now.compare(name.clone(), &suite.cases));
                Some(now.text())
            }
            None => {
                suite.baseline = known.map(|(name, known)| known.compare(name.clone(), &suite.cases));
                None
            }
        }
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
    fn without_a_file_nothing_is_compared() {
        let mut suite = suite("node", Vec::new());
        assert_eq!(Baselines::default().compare(&mut suite), None);
        assert_eq!(suite.baseline, None);
    }
}
