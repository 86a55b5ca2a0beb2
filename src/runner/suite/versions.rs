//! The versions of a server that a command starts, from the lock file that stands beside it, or from the virtual environment of
//! Python out of which it is started.

use std::fs;
use std::path::{Path, PathBuf};

use crate::conformance::Versions;

/// The lock files that are looked for.
const LOCKS: [&str; 4] = ["package-lock.json", "Cargo.lock", "poetry.lock", "uv.lock"];

/// So many folders upwards a lock file is looked for, the first one included.
const MOST_FOLDERS: usize = 6;

/// More installed packages than these are not looked at.
const MOST_PACKAGES: usize = 10_000;

/// A longer lock file is not read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What is known of the server that this command starts: from the nearest lock file that names a Socket.IO server, upwards from
/// the first file that the command names, else from the working directory.
pub(super) fn beside(command: &str) -> Versions {
    let words = shlex::split(command).unwrap_or_default();
    let installed = words.iter().find_map(|word| environment(Path::new(word)));
    if let Some(versions) = installed {
        return versions;
    }
    let mut files = words.iter().map(PathBuf::from).filter(|word| word.is_file());
    let folder = match files.next() {
        Some(file) => file.canonicalize().ok().and_then(|file| Some(file.parent()?.to_owned())),
        None => std::env::current_dir().ok(),
    };
    folder.map(|folder| upwards(&folder)).unwrap_or_default()
}

/// What is installed where a program of a virtual environment of Python stands: `venv/bin/python`.
fn environment(program: &Path) -> Option<Versions> {
    let root = program.parent()?.parent()?;
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    if !root.join("pyvenv.cfg").is_file() {
        return None;
    }
    let names = |folder: PathBuf| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.take(MOST_PACKAGES).filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let libraries = names(root.join("lib")).into_iter().filter(|name| name.starts_with("python"));
    let packages: Vec<String> =
        libraries.flat_map(|library| names(root.join("lib").join(library).join("site-packages"))).collect();
    Some(Versions::of_installed(packages.iter().map(String::as_str))).filter(|versions| !versions.is_empty())
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
    fn a_virtual_environment_of_python_tells_the_versions_of_what_is_installed_in_it() {
        let folder = tempfile::tempdir().expect("there is room");
        let packages = folder.path().join("lib/python3.13/site-packages");
        fs::create_dir_all(packages.join("python_engineio-4.13.1.dist-info")).expect("there is room");
        fs::create_dir(folder.path().join("bin")).expect("there is room");
        let command = format!("PING_INTERVAL=1000 '{}/bin/python' server.py", folder.path().display());
        assert!(beside(&command).of("python-engineio").is_none(), "it is no virtual environment");
        fs::write(folder.path().join("pyvenv.cfg"), "").expect("there is room");
        assert_eq!(beside(&command).to_string(), "python-engineio 4.13.1");
    }

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
