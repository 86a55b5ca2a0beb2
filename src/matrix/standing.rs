//! Which clauses a server keeps. A deviation is told once for its clause, however many cases show it; what a raw client has not
//! shown is said to be unconfirmed.

use std::collections::BTreeMap;

use super::confirmed::{Confirmed, Severity};
use super::result::{ServerEntry, ServersResult};
use crate::conformance::clauses::Clause;
use crate::conformance::{CaseResult, Feature, Verdict};
use crate::report::block::Tone;
use crate::report::result::WireResult;

/// What a server does about a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    /// It does something else.
    Differs,
    /// It keeps it.
    Keeps,
    /// It broke another clause, so that nothing can be said.
    Blocked,
    /// The fixture is the limit.
    CannotBeJudged,
    /// Nothing was played about it.
    NotPlayed,
}

/// A clause before a server.
#[derive(Clone, Debug)]
pub(super) struct Standing<'r> {
    /// The clause, or what takes its place where the server ended.
    pub(super) clause: String,
    pub(super) stand: Stand,
    /// How grave a deviation is by its level.
    pub(super) verdict: Verdict,
    /// Why, as a sentence without its full stop.
    pub(super) reason: String,
    /// The areas of the cases about it.
    pub(super) areas: Vec<String>,
    /// The cases that show a deviation.
    pub(super) cases: Vec<String>,
    /// The frames of the first of them.
    pub(super) wire: Vec<WireResult>,
    /// What a raw client has shown.
    pub(super) confirmed: Option<&'r Confirmed>,
}

impl Standing<'_> {
    fn new(clause: &str) -> Self {
        Standing {
            clause: clause.to_owned(),
            stand: Stand::NotPlayed,
            verdict: Verdict::Skip,
            reason: String::new(),
            areas: Vec::new(),
            cases: Vec::new(),
            wire: Vec::new(),
            confirmed: None,
        }
    }

    /// The severity of a deviation that was confirmed.
    pub(super) fn severity(&self) -> Option<Severity> {
        self.confirmed.map(|confirmed| confirmed.severity)
    }

    /// Its colour. What is not confirmed accuses nobody.
    pub(super) fn tone(&self) -> Tone {
        match (self.stand, self.severity()) {
            (Stand::Keeps, _) => Tone::Good,
            (Stand::Differs, Some(Severity::Serious)) => Tone::Bad,
            (Stand::Differs, Some(_)) => Tone::Doubtful,
            _ => Tone::Plain,
        }
    }

    /// What the server does, in a few words.
    pub(super) fn words(&self) -> &'static str {
        match (self.stand, self.severity()) {
            (Stand::Keeps, _) => "keeps it",
            (Stand::Differs, Some(severity)) => severity.name(),
            (Stand::Differs, None) => "not confirmed by a raw client",
            (Stand::Blocked, _) => "nothing can be said",
            (Stand::CannotBeJudged, _) => "cannot be judged",
            (Stand::NotPlayed, _) => "not played",
        }
    }

    /// What the server does instead: in the words of what was confirmed, else as it was seen.
    pub(super) fn instead(&self) -> &str {
        self.confirmed.map_or(&self.reason, |confirmed| &confirmed.instead)
    }

    fn note(&mut self, case: &CaseResult, stand: Stand) {
        if !self.areas.contains(&case.area) {
            self.areas.push(case.area.clone());
        }
        if stand == Stand::Differs {
            self.cases.push(case.label());
            self.verdict = self.verdict.min(case.verdict);
        }
        if stand < self.stand || self.reason.is_empty() {
            self.stand = stand;
            self.reason.clone_from(&case.reason);
            let failure = case.checks.iter().flat_map(|check| &check.failures).next();
            self.wire = failure.map(|failure| failure.wire.clone()).unwrap_or_default();
        }
    }
}

/// What a server does about each clause, by clause. Nothing where it was not played.
pub(super) fn standings<'r>(result: &'r ServersResult, server: &ServerEntry) -> Vec<Standing<'r>> {
    let Some(suite) = &server.suite else { return Vec::new() };
    let mut all: BTreeMap<String, Standing<'r>> = BTreeMap::new();
    for case in &suite.cases {
        // A case about several clauses accuses by the first alone.
        let deviates = case.verdict.is_deviation();
        for clause in case.clause.iter().take(if deviates { 1 } else { usize::MAX }) {
            let stand = stand(server, case, clause);
            all.entry(clause.clone()).or_insert_with(|| Standing::new(clause)).note(case, stand);
        }
    }
    for finding in &suite.findings {
        let id = finding.clause.clone().unwrap_or_else(|| finding.rule.clone());
        let is_beyond = server.cannot_judge.iter().any(|one| one.what == id);
        if is_beyond {
            continue;
        }
        let one = all.entry(id.clone()).or_insert_with(|| Standing::new(&id));
        if one.stand != Stand::Differs {
            one.stand = Stand::Differs;
            let seen = finding.example.as_ref();
            one.reason = seen.map_or_else(|| finding.demand.clone(), |example| example.detail.clone());
            one.wire = seen.map(|example| example.wire.clone()).unwrap_or_default();
        }
        one.verdict = one.verdict.min(finding.verdict);
        one.cases.extend(finding.failed.iter().chain(&finding.seen).cloned());
        one.confirmed = one.confirmed.or_else(|| confirmed(result, server, &finding.rule));
    }
    let mut all: Vec<Standing<'r>> = all.into_values().collect();
    for one in all.iter_mut().filter(|one| one.stand == Stand::Differs) {
        one.cases.sort_unstable();
        one.cases.dedup();
        one.confirmed = confirmed(result, server, &one.clause).or(one.confirmed);
    }
    all
}

fn stand(server: &ServerEntry, case: &CaseResult, clause: &str) -> Stand {
    let of_fixture = || {
        let all = Feature::all();
        let names = all.into_iter().filter(|one| one.is_of_fixture()).map(Feature::name);
        names.into_iter().any(|name| case.lacks.iter().any(|lack| lack == name))
    };
    let is_beyond = server.cannot_judge.iter().any(|one| one.what == case.area || one.what == clause);
    match case.verdict {
        Verdict::Pass => Stand::Keeps,
        Verdict::Fail | Verdict::Warn | Verdict::Note if is_beyond => Stand::CannotBeJudged,
        Verdict::Fail | Verdict::Warn | Verdict::Note => Stand::Differs,
        Verdict::Blocked => Stand::Blocked,
        Verdict::Skip if is_beyond || of_fixture() => Stand::CannotBeJudged,
        Verdict::Skip => Stand::NotPlayed,
    }
}

fn confirmed<'r>(result: &'r ServersResult, server: &ServerEntry, rule: &str) -> Option<&'r Confirmed> {
    let is_it = |one: &&Confirmed| one.rule == rule && one.servers.contains(&server.name);
    result.confirmed.iter().find(is_it)
}

/// The deviations of a server, each once, the gravest first; what is not confirmed stands last.
pub(super) fn causes<'s, 'r>(standings: &'s [Standing<'r>]) -> Vec<&'s Standing<'r>> {
    let mut causes: Vec<&Standing<'_>> = standings.iter().filter(|one| one.stand == Stand::Differs).collect();
    causes.sort_by_key(|one| (one.severity().map_or(u8::MAX, |severity| severity as u8), one.clause.clone()));
    causes
}

/// The servers and clauses of deviations from what is demanded, strictly also from what is recommended, that no raw client has
/// shown.
pub(crate) fn unconfirmed(result: &ServersResult, strict: bool) -> Vec<(String, String)> {
    let of = |server: &ServerEntry| {
        let is_it = |one: &Standing<'_>| {
            let counts = one.verdict == Verdict::Fail || (strict && one.verdict == Verdict::Warn);
            one.stand == Stand::Differs && one.confirmed.is_none() && counts
        };
        let all = standings(result, server).into_iter().filter(is_it);
        all.map(|one| (server.name.clone(), one.clause)).collect::<Vec<_>>()
    };
    result.servers.iter().flat_map(of).collect()
}

/// A clause in words: what it demands, and where that is written.
pub(super) fn clause_in_words(id: &str) -> (&str, &str) {
    match Clause::find(id) {
        Some(clause) => (&clause.text, &clause.spec),
        None => ("No client can end the server", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::example::servers;

    fn of<'r>(result: &'r ServersResult, name: &str) -> Vec<Standing<'r>> {
        let server = result.servers.iter().find(|server| server.name == name).expect("it is there");
        standings(result, server)
    }

    #[test]
    fn a_deviation_is_told_once_however_many_cases_show_it() {
        let result = servers();
        let all = of(&result, "node-4.8");
        let causes = causes(&all);
        let named: Vec<(&str, &str)> = causes.iter().map(|one| (&*one.clause, one.words())).collect();
        assert_eq!(named, [("SEM-BC-04", "serious"), ("EIO-LP-02", "not confirmed by a raw client")]);
        assert_eq!(causes[0].cases.len(), 2);
        assert_eq!((causes[0].tone(), causes[1].tone()), (Tone::Bad, Tone::Plain));
    }

    #[test]
    fn what_the_fixture_cannot_show_is_no_deviation() {
        let result = servers();
        let all = of(&result, "netty");
        assert!(causes(&all).is_empty());
        assert_eq!(all[0].stand, Stand::CannotBeJudged);
    }

    #[test]
    fn what_is_demanded_and_not_confirmed_is_named() {
        let named = |strict| unconfirmed(&servers(), strict);
        assert_eq!(named(false), [("node-4.4".to_owned(), "SEM-BC-04".to_owned())]);
        assert!(named(true).contains(&("node-4.8".to_owned(), "EIO-LP-02".to_owned())));
    }

    #[test]
    fn a_server_that_was_not_played_has_no_standing() {
        assert!(of(&servers(), "java").is_empty());
    }
}
