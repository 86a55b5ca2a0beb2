//! How much of the suite was played, and for want of what the rest was not.

use std::collections::BTreeSet;

use crate::conformance::feature::Feature;
use crate::conformance::result::{CaseResult, ContractResult, SuiteResult};
use crate::conformance::verdict::Verdict;
use crate::measure::format::{count, counted};

/// How much of the suite the verdict rests on.
pub(super) fn extent(suite: &SuiteResult) -> String {
    let is_played = |case: &&CaseResult| !matches!(case.verdict, Verdict::Skip | Verdict::Blocked);
    let clauses = |cases: &mut dyn Iterator<Item = &CaseResult>| {
        cases.flat_map(|case| &case.clause).collect::<BTreeSet<_>>().len() as u64
    };
    let judged = suite.summary.judged();
    let passed = format!("{} of {} passed", count(suite.summary.pass), counted(judged, "played case"));
    let blocked = suite.cases.iter().filter(|case| case.by.is_some()).count() as u64;
    let passed = match blocked {
        0 => passed,
        blocked => format!("{passed}, {} could not go on because of a finding", count(blocked)),
    };
    let reach = format!(
        "The played cases cover {} of {}.",
        count(clauses(&mut suite.cases.iter().filter(is_played))),
        counted(clauses(&mut suite.cases.iter()), "clause")
    );
    match suite.summary.skip {
        0 => format!("{passed}. {reach}"),
        skipped => {
            let names: Vec<&str> =
                Feature::all().into_iter().filter(|one| one.is_of_fixture()).map(Feature::name).collect();
            let (fixture, nodes) = (names.as_slice(), &[Feature::Nodes.name()][..]);
            let lacks = |case: &CaseResult, names: &[&str]| {
                case.lacks.iter().any(|name| names.contains(&name.as_str()))
            };
            let lacking: Vec<&CaseResult> =
                suite.cases.iter().filter(|case| case.verdict == Verdict::Skip).collect();
            // Where both are missing, the nodes are what this server cannot have.
            let (of_nodes, others): (Vec<&CaseResult>, Vec<&CaseResult>) =
                lacking.into_iter().partition(|case| lacks(case, nodes));
            let of_fixture = others.into_iter().filter(|case| lacks(case, fixture)).count() as u64;
            let reasons = [("several nodes", of_nodes.len() as u64), ("the fixture", of_fixture)];
            let reasons: Vec<(&str, u64)> = reasons.into_iter().filter(|(_, number)| *number > 0).collect();
            let why = match reasons[..] {
                [] => String::new(),
                [(what, number)] if number == skipped => format!(" for want of {what}"),
                [(what, number)] => format!(" ({} of them for want of {what})", count(number)),
                [(what, number), (other, others), ..] => {
                    let (number, others) = (count(number), count(others));
                    format!(" ({number} of them for want of {what}, {others} for want of {other})")
                }
            };
            let were = if skipped == 1 { "was" } else { "were" };
            format!("{passed}; {} {were} not played{why}. {reach}", count(skipped))
        }
    }
}

/// How much of the suite can be played with the contract of the application.
pub(super) fn reach(suite: &SuiteResult, contract: &ContractResult) -> String {
    let all = suite.summary.total();
    format!(
        "With the contract {} {} of {} can be played, {} of the {} that are written in its words.",
        contract.file,
        count(all - suite.summary.skip),
        counted(all, "case"),
        count(contract.played),
        count(contract.written),
    )
}
