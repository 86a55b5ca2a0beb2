//! Scenarios played by the program as users start it, several at a time.

#![allow(dead_code, reason = "each test crate that includes this file uses its own part of it")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// How many scenarios are played at the same time: most of what they do is waiting.
const AT_ONCE: usize = 4;

/// What came of `sockrates run` or `sockrates conform`.
#[derive(Debug)]
pub(crate) struct Played {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) output: String,
}

impl Played {
    /// The steps that failed or came to nothing, in the words of the report.
    pub(crate) fn failed_steps(&self) -> Vec<&str> {
        let marks = ["  ✗ ", "  ! "];
        let lines =
            self.output.lines().filter_map(|line| marks.iter().find_map(|mark| line.strip_prefix(mark)));
        let steps = lines.filter_map(|line| line.split_once(": ")).map(|(step, _)| step);
        // The line of the audit begins like that of a step.
        steps.filter(|step| !step.ends_with("that had to arrive")).collect()
    }
}

/// Runs `sockrates run --quiet` with these arguments and these settings in its environment, which a server that it
/// starts inherits.
pub(crate) fn play<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Played {
    sockrates("run", arguments, settings)
}

/// Runs `sockrates conform --quiet` likewise.
pub(crate) fn conform<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Played {
    sockrates("conform", arguments, settings)
}

fn sockrates<'a>(
    command: &str,
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Played {
    let output = Command::new(env!("CARGO_BIN_EXE_sockrates"))
        .args([command, "--quiet"])
        .args(arguments)
        // Wide enough that no step is told in two lines.
        .env("COLUMNS", "200")
        .env_remove("SOCKRATES_URL")
        .envs(settings)
        .stdin(Stdio::null())
        .output()
        .expect("the program that cargo built can be started");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Played { code: output.status.code(), output: text(&output.stdout) + &text(&output.stderr) }
}

/// The names of the bundled scenarios, without those of the conformance suite and of load: the files right under
/// `scenarios`.
pub(crate) fn bundled() -> Vec<String> {
    bundled_in("")
}

/// The names of those in a folder under `scenarios`.
pub(crate) fn bundled_in(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
    let entries = fs::read_dir(folder).expect("the scenarios are here");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let names = paths.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let mut names: Vec<String> =
        names.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// Does something with each of `items`, a few at a time, and fails with all complaints together.
pub(crate) fn each<T: Sync>(items: &[T], examine: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut complaints = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            complaints.extend(examine(item).err());
        }
        complaints
    };
    let complaints: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no complaint is a panic")).collect()
    });
    assert!(complaints.is_empty(), "{} of {}:\n\n{}", complaints.len(), items.len(), complaints.join("\n\n"));
}
