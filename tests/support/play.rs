//! Scenarios played by the program as users start it, several at a time.

#![allow(dead_code, reason = "each test crate that includes this file uses its own part of it")]

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use sockrates::{
    audit::{Coverage, Fault},
    report::{RunResult, json, result::DeliveriesResult},
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
    /// What it stored: one result for each scenario. None of `sockrates conform`, and none where nothing was played.
    pub(crate) results: Vec<RunResult>,
}

impl Played {
    /// The result of the only scenario.
    ///
    /// # Errors
    ///
    /// What was printed, when there is none.
    pub(crate) fn result(&self) -> Result<&RunResult, String> {
        match self.results.as_slice() {
            [only] => Ok(only),
            all => Err(format!("{} results, exit code {:?}\n{}", all.len(), self.code, self.output)),
        }
    }

    /// The steps that failed or did not succeed, in the words of the report.
    pub(crate) fn failed_steps(&self) -> Vec<&str> {
        let checks = self.results.iter().flat_map(|result| &result.checks);
        checks.filter(|check| check.failed + check.missed > 0).map(|check| check.step.as_str()).collect()
    }

    /// The share of the pairs in which a client had to receive a message, or may have had to, that the audit judged, in
    /// percent. `None` where there was none.
    pub(crate) fn judged(&self) -> Option<f64> {
        let audits = self.results.iter().filter_map(|result| result.deliveries.as_ref());
        let add = |(expected, pairs), audit: Coverage| (expected + audit.expected, pairs + audit.pairs());
        let (judged, all) = audits.map(DeliveriesResult::coverage).fold((0, 0), add);
        (all > 0).then(|| 100.0 * judged as f64 / all as f64)
    }

    /// The kinds of faults that the audit of the deliveries found.
    pub(crate) fn delivery_faults(&self) -> Vec<&'static str> {
        let audits: Vec<_> = self.results.iter().filter_map(|result| result.deliveries.as_ref()).collect();
        let found = |fault: &Fault| audits.iter().any(|audit| audit.fault(*fault) > 0);
        Fault::ALL.into_iter().filter(found).map(Fault::name).collect()
    }
}

/// Runs `sockrates run --quiet` with these arguments and these settings in its environment, which a server that it
/// starts inherits.
pub(crate) fn play<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Played {
    let file = tempfile::NamedTempFile::new().expect("there is room");
    let path = file.path().to_str().expect("a path that is text");
    let mut arguments: Vec<&str> = arguments.into_iter().collect();
    arguments.extend(["--json", path]);
    let played = sockrates("run", arguments, settings);
    let text = fs::read_to_string(path).expect("it is there");
    Played { results: stored(&text), ..played }
}

/// The results in the text of a file; nothing was stored where nothing could be played.
fn stored(text: &str) -> Vec<RunResult> {
    match text {
        "" => Vec::new(),
        _ => json::from_json(text).expect("the program reads what it has written"),
    }
}

/// Runs `sockrates conform --quiet` likewise; nothing is stored.
pub(crate) fn conform<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Played {
    sockrates("conform", arguments, settings)
}

fn sockrates<'a, 's>(
    command: &str,
    arguments: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'s str, &'s str)>,
) -> Played {
    let output = Command::new(env!("CARGO_BIN_EXE_sockrates"))
        .args([command, "--quiet"])
        .args(arguments)
        // Wide enough that no sentence is told in two lines.
        .env("COLUMNS", "200")
        .env_remove("SOCKRATES_URL")
        .envs(settings)
        .stdin(Stdio::null())
        .output()
        .expect("the program that cargo built can be started");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Played {
        code: output.status.code(),
        output: text(&output.stdout) + &text(&output.stderr),
        results: Vec::new(),
    }
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
