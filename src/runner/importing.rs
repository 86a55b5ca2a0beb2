//! Files of other tools, read and made into scenarios by [`crate::importer`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Error;
use super::files::{is_stdout, refuse_to_overwrite, write_whole};
use crate::document::{Source, cause, render};
use crate::importer::artillery::{self, ArtilleryImport};
use crate::importer::{Imported, har};

/// The largest file that a script may name.
const PAYLOAD_LIMIT: u64 = 64 << 20;

/// What a file is.
pub(crate) enum ImportSource<'a> {
    /// A script of Artillery, and the environment in it whose settings are meant.
    Artillery { environment: Option<&'a str> },
    /// A recording of a browser.
    Har,
}

/// Makes a scenario of a file, which goes to `output`.
///
/// # Errors
/// When the file cannot be read, or is not what it should be.
pub(crate) fn import(file: &Path, source: &ImportSource<'_>, output: &Path) -> Result<Imported, Error> {
    let place = output.display().to_string();
    match source {
        ImportSource::Artillery { environment } => {
            let source = Source::read(file).map_err(|mistake| {
                Error::wrong(render(&mistake.hint_of_file(artillery::WHAT_IT_IS), &Source::named(file)))
            })?;
            let folder = file.parent().map(Path::to_owned).unwrap_or_default();
            let seen = seen_from(output, &folder);
            let variable = Some((|name| std::env::var(name).ok()) as artillery::Variable);
            let how = ArtilleryImport { environment: *environment, output: &place, folder: &seen, variable };
            let files = move |name: &str| read_bounded(&folder.join(name));
            artillery::import(&source, &how, &files).map_err(Error::wrong)
        }
        ImportSource::Har => {
            let name = file.display().to_string();
            let opened = File::open(file)
                .map_err(|error| Error::because(format!("failed to read {name}: {}", cause(&error))))?;
            har::import(opened, &name, &place).map_err(Error::wrong)
        }
    }
}

/// Writes the rows of data beside the scenario that they belong to.
///
/// # Errors
/// When the scenario has no place, or a file is there, or cannot be written.
pub(crate) fn write_rows(imported: &Imported, output: &Path, force: bool) -> Result<(), Error> {
    if is_stdout(output) && !imported.files.is_empty() {
        return Err(Error::because(
            "the script has many rows of data, which go into a file beside the scenario\nhelp: name the scenario's file by \
             --output",
        ));
    }
    for (name, text) in &imported.files {
        let file = output.with_file_name(name);
        refuse_to_overwrite(&file, force)?;
        write_whole(&file, text).map_err(|error| {
            Error::because(format!("failed to write the rows to {}: {error}", file.display()))
        })?;
    }
    Ok(())
}

/// A folder as the scenario names it: nothing where both stand in the same one.
fn seen_from(output: &Path, folder: &Path) -> String {
    let own = output.parent().map(Path::to_owned).unwrap_or_default();
    if is_stdout(output) || own == folder {
        return String::new();
    }
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("{}/", whole.display())
}

/// The bytes of a file that is not too large.
fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(PAYLOAD_LIMIT + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > PAYLOAD_LIMIT => {
            Err(format!("it is larger than {} MiB", PAYLOAD_LIMIT >> 20))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(cause(&error)),
    }
}
