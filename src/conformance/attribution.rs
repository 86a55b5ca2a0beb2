//! Which deviations are told of which clause. A rule of the wire that the server breaks belongs to the clause that owns it,
//! once for each server; a case answers only for its own clauses. Where a broken rule of another clause kept a case from
//! going on, the case is blocked by that finding.

use std::collections::BTreeMap;

use super::clauses::Clause;
use super::owner::{
    OLDER, behind, belongs, goes_with, is_costly, is_of_data, is_of_polling, is_of_posts, is_of_upgrade,
    is_of_wholeness, is_plain, is_readable, is_ruinous, is_sign, looks_like, owner, owns, rule,
};
use super::result::{CaseResult, FindingResult};
use super::verdict::{Verdict, deviation};
use crate::protocol::Rule;
use crate::report::result::{ErrorExample, ErrorResult};
use crate::scenario::{Level, Need};
use crate::session::Transport;

/// So many cases are several.
const SEVERAL: usize = 3;

/// So many cases do not see by accident what has hardly any other cause.
const MANY: usize = 10;

/// Settles what each case answers for, and gives the findings, the gravest first. What belongs to a finding is told there and
/// not in the cases.
pub fn attribute(cases: &mut [CaseResult]) -> Vec<FindingResult> {
    let mut shown: Vec<Rule> = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| {
            let is_shown = |case: &CaseResult| {
                let is_of_it = shows_itself(case, *rule) && !holds_over_websocket(cases, case, *rule);
                is_of_it || lacked_ping(case, *rule) || is_blocked_by(case, *rule)
            };
            // Who acted by hand may have ended its session.
            let saw_it = |case: &&CaseResult| match *rule {
                Rule::SessionLost => has_told(case, *rule),
                _ => seen(case, *rule).0 > 0,
            };
            let saw = cases.iter().filter(saw_it).count();
            let is_elsewhere =
                is_of_posts(*rule) && cases.iter().any(|case| loses_over_websocket(case, *rule));
            is_sign(*rule)
                && !is_elsewhere
                && (cases.iter().any(is_shown) || (is_plain(*rule) && saw >= MANY))
        })
        .collect();
    // What is lost where nothing upgrades is not lost by upgrades.
    let is_lost_by = |posts: bool| shown.contains(if posts { &Rule::PostPackets } else { &Rule::EventLost });
    let (is_lost_anyway, is_lost_in_posts) = (is_lost_by(false), is_lost_by(true));
    let [loses_arguments, loses_bytes, spoils_answers] =
        [Rule::ArgumentsLost, Rule::BinaryLost, Rule::AckSpoilt].map(|rule| shown.contains(&rule));
    shown.retain(|rule| match rule {
        Rule::UpgradeLoss => !is_lost_anyway && !is_lost_in_posts,
        // An event and its attachments are several packets.
        Rule::PostBinary => !is_lost_in_posts,
        // An answer can say no more than what the question still said.
        Rule::AckSpoilt => !loses_arguments,
        Rule::AckBytes => !loses_bytes && !spoils_answers,
        _ => true,
    });
    if shown.contains(&Rule::UpgradeLoss) {
        cases.iter_mut().for_each(lay_at_the_upgrade);
    }
    let everywhere = everywhere(cases.iter());
    cases.iter_mut().for_each(|case| settle_with(case, &shown, &everywhere));
    let mut findings: BTreeMap<Rule, FindingResult> = BTreeMap::new();
    for case in &*cases {
        for rule in Rule::ALL.iter().copied().filter(|rule| counts(*rule, &shown)) {
            let Some(clause) = owner(rule).and_then(Clause::find) else { continue };
            let (count, example) = seen(case, rule);
            // What stood before it was only a sign, and is not believed.
            let is_of_it = || case.by.as_deref() == Some(&*clause.id) || is_own(case, rule);
            if count == 0 && !(is_of_it() && hides(case, rule, &shown)) {
                continue;
            }
            let finding = findings.entry(rule).or_insert_with(|| FindingResult::new(rule, clause));
            finding.count += count;
            finding.example = finding.example.take().or(example);
            let label = case.label();
            match (case.verdict, is_own(case, rule)) {
                (verdict, true) if verdict.is_deviation() => finding.failed.push(label),
                (Verdict::Blocked, _) if case.by.as_deref() == Some(&*clause.id) => {
                    finding.blocked.push(label)
                }
                _ => finding.seen.push(label),
            }
        }
    }
    for case in &mut *cases {
        let is_told = |error: &ErrorResult| match error.rule.as_deref().and_then(rule) {
            Some(rule) => counts(rule, &shown) && !is_own(case, rule),
            None => false,
        };
        let kept: Vec<ErrorResult> = case.errors.iter().filter(|error| !is_told(error)).cloned().collect();
        case.errors = if case.verdict == Verdict::Pass { Vec::new() } else { kept };
    }
    let mut findings: Vec<FindingResult> = findings.into_values().collect();
    if cases.iter().flat_map(|case| &case.clause).any(|clause| OLDER.iter().any(|(_, older)| clause == older))
    {
        tell_of_older_clauses(cases, &mut findings);
    }
    findings.sort_by_key(|finding| (finding.verdict, finding.clause.clone()));
    findings
}

/// What an upgrade loses is the answer to CONNECT, too: what comes next in a case that upgrades is not early.
fn lay_at_the_upgrade(case: &mut CaseResult) {
    if case.transport != Some(Transport::Upgrade) && !case.needs.contains(&Need::Upgrade) {
        return;
    }
    let errors = case.errors.iter_mut().map(|error| &mut error.rule);
    let failures =
        case.checks.iter_mut().flat_map(|check| &mut check.failures).map(|failure| &mut failure.after);
    for name in errors.chain(failures).flatten().filter(|name| **name == Rule::EventEarly.name()) {
        *name = Rule::UpgradeLoss.name().to_owned();
    }
}

/// Of a server that was played in the version before: names the clauses of that version.
fn tell_of_older_clauses(cases: &mut [CaseResult], findings: &mut [FindingResult]) {
    for (now, older) in OLDER {
        let Some(clause) = Clause::find(older) else { continue };
        for case in cases.iter_mut().filter(|case| case.by.as_deref() == Some(now)) {
            case.by = Some(older.to_owned());
            case.reason = case.reason.replacen(now, older, 1);
        }
        for finding in findings.iter_mut().filter(|finding| finding.clause.as_deref() == Some(now)) {
            (finding.clause, finding.level) = (Some(older.to_owned()), clause.level);
            (finding.verdict, finding.spec) = (deviation(clause.level), clause.spec.clone());
        }
    }
}

/// Settles what a case answers for, as far as it is known from the case alone.
pub fn settle(case: &mut CaseResult) {
    settle_with(case, &[], &[]);
}

/// The same, where it is known which signs were shown and which rules are broken over every transport.
pub fn settle_with(case: &mut CaseResult, shown: &[Rule], everywhere: &[Rule]) {
    if !case.verdict.is_deviation() || case.has_ended {
        return;
    }
    let foreign = |name: &Option<String>| {
        let rule = believed(case, name.as_deref().and_then(rule)?, shown);
        (counts(rule, shown) && !is_own(case, rule)).then_some(rule)
    };
    let Some(check) = case.checks.first() else {
        let is_foreign = |error: &ErrorResult| !error.is_wrong || foreign(&error.rule).is_some();
        if case.errors.iter().any(|error| error.is_wrong) && case.errors.iter().all(is_foreign) {
            case.reason = "all checks held; what else the server did is told by the findings".to_owned();
            case.verdict = Verdict::Pass;
        }
        return;
    };
    let foreign = |name: &Option<String>| foreign(name).filter(|rule| may_block(case, *rule, everywhere));
    let harm = check.failures.iter().find_map(|failure| foreign(&failure.after));
    let elsewhere = || {
        let costly = case
            .errors
            .iter()
            .filter_map(|error| foreign(&error.rule))
            .find(|rule| is_costly(*rule, &case.clause));
        costly.filter(|_| check.failures.iter().all(|failure| failure.after.is_none()))
    };
    let beside = || {
        let goes = |rule: &&Rule| case.clause.iter().any(|clause| goes_with(**rule).contains(&&**clause));
        shown.iter().find(goes).copied()
    };
    if let Some(rule) = harm.or_else(elsewhere).or_else(beside) {
        block(case, rule);
    }
}

/// A case that was given up because it waited in vain, and of which no check had failed, has not passed.
pub fn give_up(case: &mut CaseResult) {
    let mut rules = case.errors.iter().filter_map(|error| rule(error.rule.as_deref()?));
    if case.verdict == Verdict::Pass
        && let Some(rule) = rules.find(|rule| is_ruinous(*rule, &case.clause))
    {
        block(case, rule);
    }
}

/// The server broke this rule, and the case could not go on.
fn block(case: &mut CaseResult, rule: Rule) {
    let Some(clause) = owner(rule) else { return };
    case.reason = format!("could not go on, because the server broke {clause}: {}", rule.requirement());
    case.verdict = Verdict::Blocked;
    case.by = Some(clause.to_owned());
}

/// Whether a rule that was broken may be the reason why a case could not go on. Only a layer below that of the case is: what looks
/// wrong in a packet may be the work of the very clause that the case is about, or of the layer under it; not where packets look wrong
/// over every transport.
fn may_block(case: &CaseResult, rule: Rule, everywhere: &[Rule]) -> bool {
    // What is broken wherever one looks is no matter of the clauses around the one that owns it.
    let is_everywhere = everywhere.contains(&rule);
    let is_about_it = |clause: &String| match is_everywhere && !is_readable(rule) {
        true => owner(rule) == Some(clause),
        false => belongs(rule, clause),
    };
    let is_semantic = |clause: &String| clause.starts_with("SEM");
    let looks_like_it = |clause: &String| looks_like(clause, rule);
    match rule.name().starts_with("socket.") {
        _ if !case.clause.is_empty() && case.clause.iter().all(is_about_it) => false,
        true if is_readable(rule) || is_everywhere => !case.clause.iter().any(looks_like_it),
        true => case.clause.iter().any(is_semantic),
        false => true,
    }
}

/// The rules that several cases saw broken over long-polling, and as many over a WebSocket, or many where long-polling alone has the rule.
pub fn everywhere<'c>(cases: impl Iterator<Item = &'c CaseResult> + Clone) -> Vec<Rule> {
    let is_it = |rule: &Rule| {
        if is_of_polling(*rule) {
            return cases.clone().filter(|case| seen(case, *rule).0 > 0).count() >= MANY;
        }
        [Transport::Polling, Transport::Websocket].iter().all(|transport| {
            let saw = |case: &&CaseResult| case.transport == Some(*transport) && seen(case, *rule).0 > 0;
            cases.clone().filter(saw).count() >= SEVERAL
        })
    };
    Rule::ALL.iter().copied().filter(is_it).collect()
}

/// Whether a broken rule is believed. A sign is, where a case of its own has shown it.
fn counts(rule: Rule, shown: &[Rule]) -> bool {
    owner(rule).and_then(Clause::find).is_some() && (!is_sign(rule) || shown.contains(&rule))
}

/// The rule that is believed to be broken where a check failed by this one: another that it may stand before, where that was shown
/// and this one was not.
fn believed(case: &CaseResult, rule: Rule, shown: &[Rule]) -> Rule {
    let may_be = |rule: &Rule| counts(*rule, shown) && (!is_of_posts(*rule) || posts(case));
    match counts(rule, shown) {
        true => rule,
        false => behind(rule).iter().copied().find(may_be).unwrap_or(rule),
    }
}

/// Whether the clients of a case say by posts what they have to say, at least for a time.
fn posts(case: &CaseResult) -> bool {
    match case.transport {
        Some(transport) => matches!(transport, Transport::Polling | Transport::Upgrade),
        None => case.needs.contains(&Need::Polling) || case.needs.contains(&Need::Upgrade),
    }
}

/// Whether a check of a case failed by what is believed to be this rule, and by another name.
fn hides(case: &CaseResult, sought: Rule, shown: &[Rule]) -> bool {
    let mut failures = case.checks.iter().take(1).flat_map(|check| &check.failures);
    failures.any(|failure| {
        let named = failure.after.as_deref().and_then(rule);
        named.is_some_and(|named| named != sought && believed(case, named, shown) == sought)
    })
}

/// Whether a case examines the clause that owns a rule.
fn is_own(case: &CaseResult, rule: Rule) -> bool {
    owner(rule).is_none() || case.clause.iter().any(|clause| owns(clause, rule))
}

/// Whether events are lost, doubled or changed over a WebSocket: what is posted is not to blame for what looks the same.
fn loses_over_websocket(case: &CaseResult, rule: Rule) -> bool {
    let is_over_websocket = case
        .transport
        .map_or(case.needs.contains(&Need::Websocket), |transport| transport == Transport::Websocket);
    is_over_websocket
        && case.verdict.is_deviation()
        && case.clause.iter().any(|clause| is_of_wholeness(clause, rule))
}

/// Whether a case about what packets say holds over a WebSocket: what breaks it over long-polling is a matter of that.
fn holds_over_websocket(cases: &[CaseResult], case: &CaseResult, rule: Rule) -> bool {
    let is_twin = |other: &CaseResult| other.id == case.id && other.transport == Some(Transport::Websocket);
    is_of_data(rule)
        && case.transport == Some(Transport::Polling)
        && cases.iter().any(|other| is_twin(other) && other.verdict == Verdict::Pass)
}

fn shows_itself(case: &CaseResult, rule: Rule) -> bool {
    case.verdict.is_deviation() && is_own(case, rule) && seen(case, rule).0 > 0
}

/// Whether a case was not played because the server had broken the rule before.
fn is_blocked_by(case: &CaseResult, rule: Rule) -> bool {
    case.verdict == Verdict::Blocked && case.by.as_deref() == owner(rule) && seen(case, rule).0 > 0
}

/// Whether a case ended for want of a ping, after it was played again: that is its own sign, whatever the case is about. Only a case
/// about upgrades may have ended the session, of which nobody can ask for a ping then.
fn lacked_ping(case: &CaseResult, rule: Rule) -> bool {
    if case.clause.iter().any(|clause| is_of_upgrade(clause)) {
        return false;
    }
    let is_it = |name: &Option<String>| name.as_deref() == Some(Rule::PingMissing.name());
    let mut failures = case.checks.iter().take(1).flat_map(|check| &check.failures);
    rule == Rule::PingMissing && case.verdict.is_deviation() && failures.any(|failure| is_it(&failure.after))
}

/// Whether a case accuses the server of a broken rule, and not only may have failed by it.
fn has_told(case: &CaseResult, rule: Rule) -> bool {
    case.errors.iter().any(|error| error.rule.as_deref() == Some(rule.name()))
}

/// How often a case saw a rule broken, and the first instance.
fn seen(case: &CaseResult, rule: Rule) -> (u64, Option<ErrorExample>) {
    let is_it = |name: &Option<String>| name.as_deref() == Some(rule.name());
    let mut errors = case.errors.iter().filter(|error| is_it(&error.rule)).peekable();
    if let Some(first) = errors.peek().and_then(|error| error.examples.first()).cloned() {
        return (errors.map(|error| error.count).sum(), Some(first));
    }
    // What kept a step from going on was not told beside it.
    let failures = case.checks.iter().flat_map(|check| &check.failures);
    let after: Vec<_> = failures.filter(|failure| is_it(&failure.after)).collect();
    let example = after.first().map(|failure| ErrorExample {
        client: failure.client.clone(),
        detail: failure.actual.clone(),
        wire: failure.wire.clone(),
    });
    (u64::from(example.is_some()), example)
}

impl FindingResult {
    fn new(rule: Rule, clause: &Clause) -> FindingResult {
        FindingResult {
            rule: rule.name().to_owned(),
            clause: Some(clause.id.clone()),
            level: clause.level,
            verdict: deviation(clause.level),
            demand: rule.requirement().to_owned(),
            spec: rule.spec().to_owned(),
            count: 0,
            failed: Vec::new(),
            blocked: Vec::new(),
            seen: Vec::new(),
            example: None,
        }
    }

    /// The end of the server, in these words, in which a case had its hand, or nobody is known to have.
    pub fn death(words: String, killer: Option<&CaseResult>, playing: Vec<String>) -> FindingResult {
        let example = ErrorExample { client: String::new(), detail: words, wire: Vec::new() };
        FindingResult {
            rule: DEATH.to_owned(),
            clause: killer.and_then(|case| case.clause.first().cloned()),
            level: Level::Must,
            verdict: Verdict::Fail,
            demand: "no client can end the server".to_owned(),
            spec: killer.map_or_else(String::new, |case| case.spec.join(", ")),
            count: 1,
            failed: killer.map(CaseResult::label).into_iter().collect(),
            blocked: Vec::new(),
            seen: playing,
            example: Some(example),
        }
    }

    /// That an application does not do what the contract says that the user gave for it: these verbs, and what was seen of the
    /// first. Without it, each case in the words of the contract would tell the same.
    pub fn unserved(file: &str, verbs: &[&str], seen: &str, skipped: Vec<String>) -> FindingResult {
        let verbs: Vec<String> = verbs.iter().map(|verb| format!("`{verb}`")).collect();
        let example = ErrorExample { client: String::new(), detail: seen.to_owned(), wire: Vec::new() };
        FindingResult {
            rule: UNSERVED.to_owned(),
            clause: None,
            level: Level::Must,
            verdict: Verdict::Fail,
            demand: format!("the application does what {file} says of {}", verbs.join(" and ")),
            spec: "the contract".to_owned(),
            count: 1,
            failed: Vec::new(),
            blocked: Vec::new(),
            seen: skipped,
            example: Some(example),
        }
    }

    /// Whether no baseline can list it: the server ended, or the contract is not that of the application.
    pub fn is_unlisted(&self) -> bool {
        self.is_death() || self.is_unserved()
    }

    /// Whether the application does not do what the contract says.
    pub fn is_unserved(&self) -> bool {
        self.rule == UNSERVED
    }

    /// Whether the server ended.
    pub fn is_death(&self) -> bool {
        self.rule == DEATH
    }

    /// The clause, or the rule where none is known, and the rule behind it.
    pub fn name(&self) -> String {
        match &self.clause {
            Some(clause) => format!("{clause} {}", self.rule),
            None => self.rule.clone(),
        }
    }

    /// In one sentence, without its full stop.
    pub fn sentence(&self) -> String {
        let seen = self.example.as_ref().map_or("", |example| &example.detail);
        match &self.clause {
            Some(clause) => format!("{clause}: {}: {seen}", self.demand),
            None => format!("{}: {seen}", self.demand),
        }
    }
}

/// What takes the place of a rule of the wire where the server ended.
const DEATH: &str = "server.ended";

/// What takes the place of a rule of the wire where an application has not the events of its contract.
const UNSERVED: &str = "contract.unserved";

#[cfg(test)]
mod tests;
