//! Stored results, read again: of runs or suites as many files as there are, of everything else one.

use std::fs;
use std::path::PathBuf;

use super::Error;
use crate::capacity::{CapacityResult, GrowthResult};
use crate::compare::trend::Trend;
use crate::compare::{ComparisonResult, Diff};
use crate::conformance::SuiteResult;
use crate::matrix::ServersResult;
use crate::report::RunResult;
use crate::report::file::{Kind, ResultFile};

/// What some files of results hold.
pub(crate) enum Stored {
    Runs(Vec<RunResult>),
    Suites(Vec<SuiteResult>),
    Capacity(Box<CapacityResult>),
    Growth(Box<GrowthResult>),
    Comparison(Box<ComparisonResult>),
    Diff(Box<Diff>),
    Trend(Box<Trend>),
    Servers(Box<ServersResult>),
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
            let text = fs::read_to_string(file).map_err(|error| {
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
                Kind::Capacity => return Ok(Stored::Capacity(Box::new(stored.body().map_err(why)?))),
                Kind::Growth => return Ok(Stored::Growth(Box::new(stored.body().map_err(why)?))),
                Kind::Comparison => return Ok(Stored::Comparison(Box::new(stored.body().map_err(why)?))),
                Kind::Diff => return Ok(Stored::Diff(Box::new(stored.body().map_err(why)?))),
                Kind::Trend => return Ok(Stored::Trend(Box::new(stored.body().map_err(why)?))),
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
}
