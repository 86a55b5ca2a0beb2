//! The results of which a trend is made: files, and folders of files.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::stored::read_text;
use crate::compare::stored;
use crate::compare::trend::{Trend, trend};
use crate::report::file::{Kind, ResultFile};

/// The seed of the tests and intervals, so that the same results say the same.
const SEED: u64 = 1;

/// The course of all results in these files and folders. Of a folder, files that end in `.json` are read, and those of other verbs
/// are left out, as is what is no result at all; each is told in the notes.
///
/// # Errors
/// When one cannot be read, or fewer than two results can be used.
pub(crate) fn trend_of(places: &[PathBuf]) -> Result<Trend, Error> {
    let mut left_out = Vec::new();
    let mut results = Vec::new();
    for place in places {
        let failed = |error| Error::because(format!("failed to read {}: {error}", place.display()));
        let is_folder = fs::metadata(place).map_err(failed)?.is_dir();
        let files = if is_folder { files_in(place).map_err(failed)? } else { vec![place.clone()] };
        for file in files {
            let name = file.display();
            let text = read_text(&file)
                .map_err(|error| Error::because(format!("failed to read {name}: {error}")))?;
            let kind = || ResultFile::open(&text).map(|file| file.kind);
            match stored::read(&text) {
                Ok(result) => results
                    .push((file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), result)),
                Err(why) => match kind() {
                    Ok(kind) if is_folder && !matches!(kind, Kind::Run | Kind::Comparison) => {
                        left_out
                            .push(format!("{name} is a result of the kind {} and is left out", kind.name()));
                    }
                    Err(_) if is_folder => left_out.push(format!("{name} {why}; it is left out")),
                    _ => return Err(Error::because(format!("{name} {why}"))),
                },
            }
        }
    }
    let usable = results.iter().filter(|(_, result)| result.is_usable()).count();
    if usable < 2 {
        let valid = if results.len() > usable { "valid " } else { "" };
        let found = if usable == 0 { "there is no" } else { "there is only one" };
        let places = places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ");
        let beside = left_out.first().map_or_else(String::new, |first| format!(" ({first})"));
        return Err(Error::because(format!(
            "{found} {valid}result of `run --json` or `compare --json` in {places}: a trend needs at least two{beside}"
        )));
    }
    let mut trend = trend(results, SEED);
    trend.notes.extend(left_out);
    Ok(trend)
}

/// The files of a folder that may be results, in the order of their names.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let entries: Result<Vec<PathBuf>, std::io::Error> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut files: Vec<PathBuf> =
        entries?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    Ok(files)
}
