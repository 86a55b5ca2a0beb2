//! Files that are put in place whole.

use std::path::Path;
use std::{fs, io};

/// Writes a file beside and puts it in place, so that a crash leaves the former one whole, and a reader never sees half of
/// one. A pipe or a device is written to as it is.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    // A link stays a link.
    let place = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    match fs::metadata(&place) {
        Ok(there) if !there.is_file() => fs::write(&place, text),
        _ => {
            let mut beside = place.clone().into_os_string();
            beside.push(".part");
            fs::write(&beside, text).and_then(|()| fs::rename(&beside, &place)).inspect_err(|_| {
                let _ = fs::remove_file(&beside);
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
