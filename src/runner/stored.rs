//! Stored results, read again: of runs or suites as many files as there are, of everything else one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::forms::{Forms, Paths};
use super::single::Single;
use super::{Error, write_site};
use crate::capacity::{CapacityResult, GrowthResult};
use crate::compare::trend::Trend;
use crate::compare::{ComparisonResult, Diff};
use crate::conformance::{self, SuiteResult};
use crate::matrix::ServersResult;
use crate::report::file::{Body, Kind, ResultFile, Unreadable};
use crate::report::{Report, RunResult, of_runs};

/// The largest file of results that is read: a run of an hour writes some 3 MB.
const LARGEST: u64 = 1 << 30;

/// What begins with so many bytes of text is read to its end.
const BEGINNING: u64 = 64 << 10;

/// The text of a file of results.
///
/// # Errors
/// When it cannot be read, is too large, or is no text.
pub(super) fn read_text(file: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut file = File::open(file)?.take(LARGEST + 1);
    file.by_ref().take(BEGINNING).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Err(wrong("it is binary, not text".to_owned()));
    }
    file.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!("it is larger than {} MiB, the most that is read", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("it is no text: byte {} is not UTF-8", at + 1))
    })
}

/// What some files of results hold.
pub(crate) enum Stored {
    Runs(Vec<RunResult>),
    Suites(Vec<SuiteResult>),
    Servers(Box<ServersResult>),
    Single(Kind, Box<dyn Single>),
}

impl Stored {
    /// Reads them.
    ///
    /// # Errors
    /// When one cannot be read, or they cannot be rendered together.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Stored, Error> {
        let (mut runs, mut suites) = (Vec::new(), Vec::new());
        for file in files {
            let name = file.display();
            let text = read_text(file).map_err(|error| {
                Error::because(format!(
                    "failed to read the result {name}: {error}; `sockrates run … --json FILE` writes one"
                ))
            })?;
            let why = |why| Error::because(format!("{name} {why}"));
            let stored = ResultFile::open(&text).map_err(why)?;
            match stored.kind {
                Kind::Run => runs.append(&mut stored.body().map_err(why)?),
                Kind::Suite => suites.append(&mut stored.body().map_err(why)?),
                kind if files.len() > 1 => {
                    let kind = kind.name();
                    return Err(Error::because(format!(
                        "{name} is a result of the kind {kind}, which is rendered alone: give no other file"
                    )));
                }
                Kind::Capacity => return single::<CapacityResult>(stored).map_err(why),
                Kind::Growth => return single::<GrowthResult>(stored).map_err(why),
                Kind::Comparison => return single::<ComparisonResult>(stored).map_err(why),
                Kind::Diff => return single::<Diff>(stored).map_err(why),
                Kind::Trend => return single::<Trend>(stored).map_err(why),
                Kind::Servers => return Ok(Stored::Servers(Box::new(stored.body().map_err(why)?))),
            }
        }
        match (runs.is_empty(), suites.is_empty()) {
            (false, false) => Err(Error::because(
                "some of the files are of `run` and some of `conform`: render them separately",
            )),
            (_, true) => Ok(Stored::Runs(runs)),
            (true, false) => Ok(Stored::Suites(suites)),
        }
    }

    /// The forms of it that are asked for. With `strict`, warnings of suites count as failures.
    ///
    /// # Errors
    /// When it cannot be had in one of them.
    pub(crate) fn forms<'a>(&'a self, paths: &'a Paths, strict: bool) -> Result<Forms<'a>, Error> {
        let single = |kind: Kind, result: &'a dyn Single| {
            paths.refuse_all_but(kind.verb(), &["HTML", "Markdown"])?;
            Ok(paths.of_single(result))
        };
        match self {
            Stored::Runs(runs) => Ok(paths.of_runs(runs)),
            Stored::Suites(suites) => {
                paths.refuse_all_but(Kind::Suite.verb(), &["HTML", "JUnit", "Markdown"])?;
                Ok(paths.of_suites(suites, strict))
            }
            Stored::Servers(result) => single(Kind::Servers, &**result),
            Stored::Single(kind, result) => single(*kind, &**result),
        }
    }

    /// What is shown of it, one after the other.
    pub(crate) fn reports(&self, strict: bool) -> Vec<Report> {
        match self {
            Stored::Runs(runs) => vec![of_runs(runs)],
            Stored::Suites(suites) => {
                let each = suites.chunks(1).map(|suite| conformance::report(suite, strict));
                each.chain((suites.len() > 1).then(|| conformance::matrix(suites))).collect()
            }
            Stored::Servers(result) => vec![result.report()],
            Stored::Single(_, result) => vec![result.report()],
        }
    }

    /// Writes the site of many servers into a folder. False where this is another result.
    ///
    /// # Errors
    /// Which file could not be written.
    pub(crate) fn write_site(&self, folder: &Path) -> Result<bool, Error> {
        match self {
            Stored::Servers(result) => write_site(folder, result).map(|()| true),
            _ => Ok(false),
        }
    }
}

fn single<T: Body + Single + 'static>(stored: ResultFile<'_>) -> Result<Stored, Unreadable> {
    Ok(Stored::Single(T::KIND, Box::new(stored.body::<T>()?)))
}
