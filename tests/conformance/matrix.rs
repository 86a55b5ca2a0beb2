//! The suite played on the reference server, healthy and with each fault.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use reference_server::faults::Description;
use serde_json::Value as Json;
use sockrates::protocol::dialect::Version;

use super::catalogue::{Catalogue, broken_by, faults};

/// How many suites are played at the same time: each waits for heartbeats more than it works.
const AT_ONCE: usize = 4;

/// What became of a case over one transport.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) id: String,
    #[allow(dead_code, reason = "told when a test fails")]
    pub(crate) transport: Option<String>,
    pub(crate) verdict: String,
    /// What the server lacks, where it was not played for that.
    pub(crate) lacks: Vec<String>,
    #[allow(dead_code, reason = "told when a test fails")]
    pub(crate) reason: String,
}

/// Runs `sockrates conform` with these arguments.
///
/// # Errors
/// A sentence, when it did not get as far as verdicts.
pub(crate) fn conform(arguments: &[&str]) -> Result<Vec<Verdict>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("result.json");
    let output = Command::new(env!("CARGO_BIN_EXE_sockrates"))
        .args(["conform", "--quiet", "--json"])
        .arg(&file)
        .args(arguments)
        .env_remove("SOCKRATES_URL")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let told = || {
        format!(
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let text = std::fs::read_to_string(&file).map_err(|_| told())?;
    let result: Json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let suites = result["body"].as_array().ok_or_else(told)?;
    let word = |case: &Json, key: &str| case[key].as_str().map(str::to_owned);
    Ok(suites
        .iter()
        .filter_map(|suite| suite["cases"].as_array())
        .flatten()
        .map(|case| Verdict {
            id: word(case, "id").unwrap_or_default(),
            transport: word(case, "transport"),
            verdict: word(case, "verdict").unwrap_or_default(),
            lacks: serde_json::from_value(case["lacks"].clone()).unwrap_or_default(),
            reason: word(case, "reason").unwrap_or_default(),
        })
        .collect())
}

/// In which versions a fault is played: today's where a case of it examines what the fault breaks, and the one before where
/// a case does that does not hold today.
fn versions(fault: &Description, catalogue: &Catalogue) -> Vec<Version> {
    let cases = || broken_by(fault).flat_map(|id| catalogue.cases_of(id));
    let of_today = cases().any(|case| case.scenario.protocols.contains(&Version::V4));
    let of_before = cases().any(|case| !case.scenario.protocols.contains(&Version::V4));
    let played = [of_today.then_some(Version::V4), of_before.then_some(Version::V3)];
    played.into_iter().flatten().collect()
}

/// Plays the cases of the clauses that a fault breaks, those about several nodes together or the others, in every version
/// that shows it.
fn play(fault: &Description, spans_nodes: bool, catalogue: &Catalogue) -> Result<Vec<Verdict>, String> {
    let played = versions(fault, catalogue).into_iter();
    let played: Result<Vec<_>, _> =
        played.map(|version| play_in(version, fault, spans_nodes, catalogue)).collect();
    Ok(played?.into_iter().flatten().collect())
}

fn play_in(
    version: Version,
    fault: &Description,
    spans_nodes: bool,
    catalogue: &Catalogue,
) -> Result<Vec<Verdict>, String> {
    let clauses = broken_by(fault).filter(|id| catalogue.spans_nodes(id) == spans_nodes);
    let only: Vec<String> = clauses.map(|id| format!("clause:{id}")).collect();
    if only.is_empty() {
        return Ok(Vec::new());
    }
    let only = only.join(",");
    let mut arguments = vec!["--fault", fault.name, "--only", &only];
    if spans_nodes {
        arguments.extend(["--nodes", "2"]);
    }
    if version == Version::V3 {
        arguments.extend(["--protocol", "3"]);
    }
    conform(&arguments)
}

/// Which case caught which fault.
pub(crate) struct Matrix {
    /// Pairs of a fault's name and a case's id.
    pub(crate) caught: BTreeSet<(String, String)>,
}

impl Matrix {
    /// Plays, for each fault, the cases of the clauses that it breaks.
    pub(crate) fn play(catalogue: &Catalogue) -> Matrix {
        let (next, caught, wrong) =
            (AtomicUsize::new(0), Mutex::new(BTreeSet::new()), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(fault) = faults().nth(next.fetch_add(1, Ordering::Relaxed)) {
                        for spans_nodes in [false, true] {
                            match play(fault, spans_nodes, catalogue) {
                                Ok(verdicts) => caught.lock().expect("nobody panics").extend(
                                    verdicts
                                        .into_iter()
                                        .filter(|case| {
                                            matches!(case.verdict.as_str(), "fail" | "warn" | "note")
                                        })
                                        .map(|case| (fault.name.to_owned(), case.id)),
                                ),
                                Err(why) => wrong.lock().expect("nobody panics").push(why),
                            }
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner().expect("nobody panics");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Matrix { caught: caught.into_inner().expect("nobody panics") }
    }

    pub(crate) fn faults_nobody_caught(&self) -> Vec<&'static str> {
        let caught: BTreeSet<&str> = self.caught.iter().map(|(fault, _)| fault.as_str()).collect();
        faults().map(|fault| fault.name).filter(|name| !caught.contains(name)).collect()
    }

    pub(crate) fn cases_nothing_failed<'c>(&self, catalogue: &'c Catalogue) -> Vec<&'c str> {
        let failed: BTreeSet<&str> = self.caught.iter().map(|(_, case)| case.as_str()).collect();
        catalogue.cases.iter().map(|case| case.id.as_str()).filter(|id| !failed.contains(id)).collect()
    }
}
