//! Files that are put in place whole, and the proof beforehand that they can be.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::{fs, io};

use super::Error;

/// Writes a new file beside the old one and renames it, so that a crash leaves the old one whole, and a reader never sees half of
/// one. Folders that are missing are created. A pipe or a device is written to as it is.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let Place { file: place, beside } = place(file);
    let Some(beside) = beside else { return fs::write(place, text) };
    create_parent(&place)?;
    fs::write(&beside, text).inspect_err(|_| drop(fs::remove_file(&beside)))?;
    if fs::rename(&beside, &place).is_ok() {
        return Ok(());
    }
    // A file that is a mount of its own, as in a container, cannot be replaced. The copy beside stays until it is written.
    fs::copy(&beside, &place)?;
    fs::remove_file(&beside)
}

/// Proves that a file can be written later, and changes nothing that is there. Folders that are missing are created.
///
/// # Errors
/// Why it cannot be written, and what to do.
pub(crate) fn prove_writable(file: &Path) -> Result<(), String> {
    if is_folder(file) {
        return Err("this is a folder: name a file in it".to_owned());
    }
    if file.file_name().is_none() {
        return Err("this names no file".to_owned());
    }
    let Place { file: place, beside } = place(file);
    // Opening and closing a pipe would end the input of its reader.
    let Some(beside) = beside else { return Ok(()) };
    create_parent(&place).map_err(|error| format!("failed to create its folder: {error}"))?;
    match fs::OpenOptions::new().append(true).open(&place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.to_string()),
        // The system lets an administrator write even this.
        Ok(there) if there.metadata().is_ok_and(|metadata| metadata.permissions().readonly()) => {
            return Err("the file that is there is read-only".to_owned());
        }
        _ => {}
    }
    let is_new = !beside.exists();
    fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&beside)
        .map_err(|error| format!("{error}, for the new file beside it, {}", beside.display()))?;
    match is_new {
        true => fs::remove_file(&beside).map_err(|error| error.to_string()),
        false => Ok(()),
    }
}

/// Proves that files can be written into a folder later. It is created if it is missing.
///
/// # Errors
/// Why they cannot be written.
pub(crate) fn prove_writable_folder(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    prove_writable(&folder.join(".sockrates"))
}

/// Refuses to write to a file that is there, unless that is meant.
///
/// # Errors
/// When it is there.
pub(crate) fn refuse_to_overwrite(file: &Path, force: bool) -> Result<(), Error> {
    match !is_stdout(file) && file.exists() && !force {
        true => Err(Error::because(format!(
            "{} is there already, and stays as it is\nhelp: name another file by --output, or overwrite it by --force",
            file.display()
        ))),
        false => Ok(()),
    }
}

/// Whether a path names a folder: one that is there, or by the slash at its end.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().to_string_lossy().ends_with(['/', MAIN_SEPARATOR])
}

/// Whether a path means standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Where a file goes.
struct Place {
    file: PathBuf,
    /// Where it is written first; none for a pipe or a device.
    beside: Option<PathBuf>,
}

fn place(file: &Path) -> Place {
    // A link stays a link.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let is_special = fs::metadata(&place).is_ok_and(|there| !there.is_file() && !there.is_dir());
    let mut beside = place.clone().into_os_string();
    beside.push(".part");
    Place { file: place, beside: (!is_special).then(|| beside.into()) }
}

fn create_parent(file: &Path) -> io::Result<()> {
    match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        Some(folder) => fs::create_dir_all(folder),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_put_in_place_whole_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("there is room");
        let (file, link) = (folder.path().join("a.json"), folder.path().join("latest.json"));
        write_whole(&file, "one").expect("it can be written");
        std::os::unix::fs::symlink(&file, &link).expect("it can be linked");
        write_whole(&link, "two").expect("it can be written");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "two");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 2, "nothing is left beside");
    }

    #[test]
    fn what_cannot_be_written_leaves_what_was_there() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("a.json");
        write_whole(&file, "one").expect("it can be written");
        fs::create_dir(folder.path().join("a.json.part")).expect("there is room");
        write_whole(&file, "two").expect_err("a folder is in the way");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "one");
    }

    #[test]
    fn a_missing_folder_is_created_for_the_proof_and_again_for_the_file() {
        let folder = tempfile::tempdir().expect("there is room");
        let file = folder.path().join("today/one/a.json");
        assert_eq!(prove_writable(&file), Ok(()));
        let parent = file.parent().expect("it has one");
        assert_eq!(fs::read_dir(parent).expect("it was created").count(), 0, "the proof leaves nothing");
        fs::remove_dir(parent).expect("it is empty");
        write_whole(&file, "one").expect("the folder is created again");
    }

    #[test]
    fn the_proof_changes_nothing_that_is_there() {
        let folder = tempfile::tempdir().expect("there is room");
        let (file, beside) = (folder.path().join("a.json"), folder.path().join("a.json.part"));
        fs::write(&file, "one").expect("there is room");
        fs::write(&beside, "of an earlier crash").expect("there is room");
        assert_eq!(prove_writable(&file), Ok(()));
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "one");
        assert_eq!(fs::read_to_string(&beside).expect("it is there"), "of an earlier crash");
        let nowhere = if cfg!(windows) { "NUL" } else { "/dev/null" };
        assert_eq!(prove_writable(Path::new(nowhere)), Ok(()));
    }

    #[test]
    fn what_can_never_be_written_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("kept.json"), "").expect("there is room");
        let mut kept = fs::metadata(path("kept.json")).expect("it is there").permissions();
        kept.set_readonly(true);
        fs::set_permissions(path("kept.json"), kept).expect("it is ours");
        fs::create_dir(path("b.json.part")).expect("there is room");
        for (file, why) in [
            (folder.path().to_owned(), "this is a folder: name a file in it"),
            (path("new/"), "this is a folder: name a file in it"),
            (PathBuf::new(), "this names no file"),
            (
                path("kept.json/a.json"),
                if cfg!(unix) { "Not a directory" } else { "for the new file beside it" },
            ),
            (path("b.json"), "for the new file beside it"),
            (path("kept.json"), ""),
        ] {
            let refused = prove_writable(&file).expect_err("it cannot be written");
            assert!(refused.contains(why), "{}: {refused}", file.display());
        }
        assert!(prove_writable_folder(&path("kept.json/")).is_err());
        assert_eq!(prove_writable_folder(&path("latencies/")), Ok(()));
    }
}
