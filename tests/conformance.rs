//! The conformance suite, held against itself: every clause has a case or a reason, every case passes on the healthy
//! reference server and fails on a broken one, every fault is caught. `docs/conformance.md` is printed from the same
//! data: `UPDATE_GOLDEN=1 cargo test --test conformance` writes it.

#[path = "conformance/catalogue.rs"]
mod catalogue;
#[path = "conformance/matrix.rs"]
mod matrix;
#[path = "conformance/page.rs"]
mod page;

use std::{
    collections::BTreeSet,
    env, fs,
    sync::{Mutex, PoisonError},
};

use sockrates::protocol::dialect::Version;

use catalogue::{Case, Catalogue, breaking, broken_by, faults, level, root};
use sockrates::{conformance::owner::owner, protocol::Rule};

const PAGE: &str = "docs/conformance.md";

/// One suite at a time has the machine: a reference server that starves misses its own heartbeats, and fails for it.
static MACHINE: Mutex<()> = Mutex::new(());

#[test]
fn every_clause_is_told_once_with_a_level_and_has_a_case_or_a_reason() {
    let catalogue = Catalogue::read();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for clause in &catalogue.clauses {
        if !seen.insert(&clause.id) {
            wrong.push(format!("{} is told twice", clause.id));
        }
        if level(&clause.level).is_none() {
            wrong.push(format!("{} has the level {}", clause.id, clause.level));
        }
        let as_binding = |case: &&Case| Some(case.scenario.level) == level(&clause.level);
        match (catalogue.cases_of(&clause.id).filter(as_binding).count(), &clause.without) {
            (0, None) => wrong.push(format!("{} has no case of its level and no reason", clause.id)),
            (1.., Some(_)) => wrong.push(format!("{} has a case, and a reason to have none", clause.id)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(catalogue.clauses.len() >= 305, "{} clauses", catalogue.clauses.len());
}

#[test]
fn every_case_names_clauses_of_its_level_and_where_they_are_written() {
    let catalogue = Catalogue::read();
    let mut wrong = Vec::new();
    for case in &catalogue.cases {
        let scenario = &case.scenario;
        if scenario.clause.is_empty() {
            wrong.push(format!("{} names no clause", case.id));
        }
        if scenario.spec.is_empty() {
            wrong.push(format!("{} does not say where its rule is written", case.id));
        }
        let levels: Vec<_> = scenario.clause.iter().map(|id| catalogue.clause(id)).collect();
        if levels.iter().any(Option::is_none) {
            wrong.push(format!("{} names a clause that is not there: {:?}", case.id, scenario.clause));
        }
        // A case that examines several binds no more than the one that binds least: it fails when any is broken. It may
        // bind less: where the clause leaves open what the official server does.
        let least = levels.iter().flatten().filter_map(|clause| level(&clause.level)).max();
        if least > Some(scenario.level) {
            wrong.push(format!("{} is {:?}, its clauses are {least:?}", case.id, scenario.level));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(catalogue.cases.len() >= 280, "{} cases", catalogue.cases.len());
}

#[test]
fn every_rule_of_the_wire_has_a_clause_that_owns_it_and_a_case_about_that_clause() {
    let catalogue = Catalogue::read();
    let mut wrong = Vec::new();
    for rule in Rule::ALL {
        match owner(*rule) {
            // The limits of this program say nothing of a server.
            None if rule.name().starts_with("limit.") => {}
            None => wrong.push(format!("{} has no owner", rule.name())),
            Some(id) if catalogue.clause(id).is_none() => {
                wrong.push(format!("{} belongs to {id}, which is no clause", rule.name()));
            }
            Some(id) if catalogue.cases_of(id).next().is_none() => {
                wrong.push(format!("{} belongs to {id}, which no case examines", rule.name()));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_case_has_faults_that_could_fail_it_and_every_fault_cases_that_could_catch_it() {
    let catalogue = Catalogue::read();
    let mut wrong = Vec::new();
    for case in &catalogue.cases {
        if case.scenario.clause.iter().all(|clause| breaking(clause).next().is_none()) {
            wrong.push(format!("no fault breaks what {} examines: {:?}", case.id, case.scenario.clause));
        }
    }
    for clause in &catalogue.clauses {
        let binding = clause.level != "official" && clause.without.is_none();
        if binding && breaking(&clause.id).next().is_none() {
            wrong.push(format!("no fault breaks {}", clause.id));
        }
    }
    for fault in faults() {
        for id in broken_by(fault) {
            if catalogue.clause(id).is_none() {
                wrong.push(format!("{} breaks {id}, which is no clause", fault.name));
            }
        }
        if broken_by(fault).all(|id| catalogue.cases_of(id).next().is_none()) {
            wrong.push(format!("no case examines what {} breaks", fault.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_case_that_says_at_which_nodes_its_clients_are_says_that_it_needs_several() {
    let catalogue = Catalogue::read();
    let chooses = |case: &&Case| case.scenario.groups.iter().any(|group| group.node.is_some());
    let (choosing, others): (Vec<&Case>, Vec<&Case>) = catalogue.cases.iter().partition(chooses);
    assert!(choosing.len() >= 21, "{} cases", choosing.len());
    let wrong = choosing.iter().filter(|case| !case.spans_nodes());
    let wrong: Vec<_> = wrong.chain(others.iter().filter(|case| case.spans_nodes())).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_case_passes_on_the_healthy_reference_server() {
    all_pass(Version::V4, false, &[]);
}

#[test]
fn every_case_of_the_version_before_passes_on_the_healthy_reference_server() {
    let count = all_pass(Version::V3, false, &["--protocol", "3"]);
    assert!(count >= 120, "{count} results");
}

#[test]
fn every_case_about_several_nodes_passes_on_two_and_on_three_healthy_ones() {
    for (nodes, version, protocol) in
        [("2", Version::V4, "4"), ("3", Version::V4, "4"), ("2", Version::V3, "3")]
    {
        all_pass(version, true, &["--nodes", nodes, "--only", "needs:nodes", "--protocol", protocol]);
    }
}

/// Plays the cases of a version that are about several nodes together, or the others. How many results there are.
fn all_pass(version: Version, spans_nodes: bool, arguments: &[&str]) -> usize {
    let _alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let verdicts = matrix::conform(arguments).unwrap_or_else(|why| panic!("{why}"));
    let of_others = |verdict: &&matrix::Verdict| spans_nodes || verdict.lacks != ["nodes"];
    let verdicts: Vec<_> = verdicts.iter().filter(of_others).collect();
    let wrong: Vec<_> = verdicts.iter().filter(|verdict| verdict.verdict != "pass").collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let played: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.id.as_str()).collect();
    let catalogue = Catalogue::read();
    let is_of_it =
        |case: &&Case| case.scenario.protocols.contains(&version) && case.spans_nodes() == spans_nodes;
    let there: BTreeSet<&str> = catalogue.cases.iter().filter(is_of_it).map(|case| &*case.id).collect();
    assert_eq!(played, there);
    verdicts.len()
}

#[test]
fn every_fault_is_caught_and_every_case_fails_on_one_as_the_page_says() {
    let _alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let catalogue = Catalogue::read();
    let matrix = matrix::Matrix::play(&catalogue);
    let idle: Vec<&str> = matrix.faults_nobody_caught();
    assert!(idle.is_empty(), "no case noticed {idle:?}");
    let tame: Vec<&str> = matrix.cases_nothing_failed(&catalogue);
    assert!(tame.is_empty(), "no fault failed {tame:?}");

    let path = root(PAGE);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, page::print(&catalogue, &matrix.caught)).expect("the page can be written");
        return;
    }
    let printed = fs::read_to_string(&path).expect("the page is here");
    let told = page::catches(&printed);
    let untrue: Vec<_> = told.difference(&matrix.caught).collect();
    assert!(untrue.is_empty(), "the page tells of catches that did not happen: {untrue:?}");
    // More may be caught than is told: a fault that acts by chance hits a case now and then.
    assert_eq!(printed, page::print(&catalogue, &told), "UPDATE_GOLDEN=1 cargo test --test conformance");
}
