//! The versions of a server that a command starts, from the lock file that stands beside it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::conformance::Versions;

/// The lock files that are looked for.
const LOCKS: [&str; 4] = ["package-lock.json", "Cargo.lock", "poetry.lock", "uv.lock"];

/// So many folders upwards a lock file is looked for, the first one included.
const MOST_FOLDERS: usize = 6;

/// A longer lock file is not read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What is known of the server that this command starts: from the nearest lock file that names a Socket.IO server, upwards from
/// the first file that the command names, else from the working directory.
pub(super) fn beside(command: &str) -> Versions {
    let words = shlex::split(command).unwrap_or_default();
    let mut files = words.iter().map(PathBuf::from).filter(|word| word.is_file());
    let folder = match files.next() {
        Some(file) => file.canonicalize().ok().and_then(|file| Some(file.parent()?.to_owned())),
        None => std::env::current_dir().ok(),
    };
    folder.map(|folder| upwards(&folder)).unwrap_or_default()
}

fn upwards(folder: &Path) -> Versions {
    let locks = folder.ancestors().take(MOST_FOLDERS).flat_map(|folder| LOCKS.map(|name| folder.join(name)));
    let read = |file: PathBuf| {
        let is_short = fs::metadata(&file).is_ok_and(|about| about.is_file() && about.len() <= LONGEST);
        is_short.then(|| fs::read_to_string(file).ok()).flatten()
    };
    let mut known = locks.filter_map(read).map(|text| Versions::of_lock(&text));
    known.find(|versions| !versions.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_above_the_started_file_tells_the_versions() {
        let folder = tempfile::tempdir().expect("there is room");
        let inner = folder.path().join("src");
        fs::create_dir(&inner).expect("there is room");
        let lock = r#"{"packages":{"node_modules/engine.io":{"version":"6.6.13"}}}"#;
        fs::write(folder.path().join("package-lock.json"), lock).expect("there is room");
        fs::write(inner.join("server.js"), "").expect("there is room");
        let command = format!("CSR=1 node '{}' --quiet", inner.join("server.js").display());
        assert_eq!(beside(&command).to_string(), "engine.io 6.6.13");
    }
}
