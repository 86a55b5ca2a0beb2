//! The catalogue: the clauses of `docs/clauses`, the cases of `scenarios/conformance`, the faults of the reference
//! server, and which belongs to which.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use reference_server::faults::{Description, REGISTRY, Shows};
use sockrates::scenario::{self, Level, Need, Scenario};

/// Something that a server has to do.
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) id: String,
    pub(crate) level: String,
    pub(crate) spec: String,
    pub(crate) text: String,
    /// The version since which it holds, if that is younger than the protocol.
    pub(crate) since: Option<String>,
    /// Why no case examines it.
    pub(crate) without: Option<String>,
}

/// A file of the suite.
#[derive(Debug)]
pub(crate) struct Case {
    /// Its path below the folder of the suite, without its ending.
    pub(crate) id: String,
    pub(crate) scenario: Scenario,
}

impl Case {
    /// Whether it is about several nodes together.
    pub(crate) fn spans_nodes(&self) -> bool {
        self.scenario.needs.contains(&Need::Nodes)
    }
}

/// Everything that is in the repository.
pub(crate) struct Catalogue {
    /// In the order of the files and in them.
    pub(crate) clauses: Vec<Clause>,
    /// In the order of their ids.
    pub(crate) cases: Vec<Case>,
}

impl Catalogue {
    /// Reads all of it.
    pub(crate) fn read() -> Catalogue {
        let clauses = yaml_below(&root("docs/clauses")).iter().flat_map(|file| clauses(file)).collect();
        let suite = root("scenarios/conformance");
        let cases = yaml_below(&suite).into_iter().map(|file| case(&suite, &file)).collect();
        Catalogue { clauses, cases }
    }

    pub(crate) fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }

    /// Whether the cases about a clause are about several nodes together, those that do not say so being about one.
    pub(crate) fn spans_nodes(&self, clause: &str) -> bool {
        self.cases_of(clause).any(Case::spans_nodes)
    }

    /// The cases that examine a clause.
    pub(crate) fn cases_of<'c>(&'c self, clause: &'c str) -> impl Iterator<Item = &'c Case> {
        self.cases.iter().filter(move |case| case.scenario.clause.iter().any(|id| id == clause))
    }
}

/// The clauses that a fault breaks.
pub(crate) fn broken_by(fault: &Description) -> impl Iterator<Item = &'static str> {
    fault.breaks.split_whitespace()
}

/// The faults that a single case can be sure to see. `tests/audit.rs`, `tests/latency.rs` and `tests/clusters.rs` hold the others.
pub(crate) fn faults() -> impl Iterator<Item = &'static Description> {
    let is_of_a_case = |fault: &&Description| match fault.shows {
        Shows::AtOnce => true,
        Shows::AcrossNodes => !fault.breaks.is_empty(),
        Shows::UnderLoad | Shows::InTime => false,
    };
    REGISTRY.iter().filter(is_of_a_case)
}

/// The faults that break a clause.
pub(crate) fn breaking(clause: &str) -> impl Iterator<Item = &'static Description> {
    faults().filter(move |fault| broken_by(fault).any(|id| id == clause))
}

/// A level as a file spells it.
pub(crate) fn level(name: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|level| level.name() == name)
}

pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn clauses(file: &Path) -> Vec<Clause> {
    let text = fs::read_to_string(file).expect("the clauses can be read");
    let rows: Vec<BTreeMap<String, String>> =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    rows.into_iter()
        .map(|mut row| {
            let mut take = |key: &str| row.remove(key);
            let mut required = |key: &str| {
                take(key).unwrap_or_else(|| panic!("{}: a clause without `{key}`", file.display()))
            };
            let (id, level, spec, text) =
                (required("id"), required("level"), required("spec"), required("clause"));
            let (since, without) = (take("since"), take("without"));
            assert!(row.is_empty(), "{}: {id} has {row:?}", file.display());
            Clause { id, level, spec, text: text.trim().to_owned(), since, without }
        })
        .collect()
}

fn case(suite: &Path, file: &Path) -> Case {
    let id = file.strip_prefix(suite).expect("it was found there").with_extension("");
    let scenario = scenario::load(file).unwrap_or_else(|why| panic!("{why}"));
    Case { id: id.to_string_lossy().into_owned(), scenario }
}

/// The YAML files of a folder and of those in it, sorted.
fn yaml_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(yaml_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}
