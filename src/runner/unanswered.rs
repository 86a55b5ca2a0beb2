//! Events that the server never acknowledges, though the scenario waits for that: each wait takes seconds, and what is found in
//! the end says nothing of the server.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contract::event_says_error;
use crate::measure::{Tally, format};
use crate::observe::{Counter, StepId};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::step::{AskedEvent, Numbered, heard_instead};
use crate::threshold::{Counted, Subject};

/// So many acknowledgements of an event have to be missing, and not one be there.
const MANY: u64 = 3;

/// What a scenario asks the server to acknowledge.
pub(super) struct Unanswered {
    steps: Vec<(StepId, AskedEvent)>,
    is_default: bool,
    /// Whether clients wait until the application says that it is ready.
    awaits_ready: bool,
}

impl Unanswered {
    pub(super) fn new(plan: &Plan<'_>, scenario: &Scenario) -> Unanswered {
        let decides = |subject: Subject| {
            let (Subject::Count(what) | Subject::Rate(what) | Subject::Share(what)) = subject else {
                return false;
            };
            [Counter::AckMissed, Counter::AckReceived].map(Counted::Counter).contains(&what)
        };
        let mut steps = Vec::new();
        // Where a threshold says how many may be missing, it decides at the end.
        if !scenario.thresholds.iter().any(|threshold| decides(threshold.subject)) {
            plan.acts.iter().for_each(|act| collect(act.steps, &mut steps));
        }
        let contract = &scenario.contract;
        Unanswered { steps, is_default: contract.is_default(), awaits_ready: contract.ready().is_some() }
    }

    /// The sentence about an event that is never acknowledged, if there is one.
    pub(super) fn sentence(&self, tally: &Tally, now: Duration) -> Option<String> {
        if self.steps.is_empty()
            || tally.misses(Counter::AckMissed) == 0
            || tally.misses(Counter::Dropped) > 0
        {
            return None;
        }
        let mut events: BTreeMap<(bool, &str), (u64, u64)> = BTreeMap::new();
        for (id, AskedEvent { event, by_contract }) in &self.steps {
            let Some(step) = tally.step(*id) else { continue };
            let (answered, missed) = events.entry((*by_contract, event)).or_default();
            *answered += step.passed + step.failed;
            *missed += step.missed;
        }
        let by_contract = || events.iter().filter(|((by_contract, _), _)| *by_contract);
        if self.is_default && by_contract().all(|(_, (answered, _))| *answered == 0) {
            let none: Vec<&str> =
                by_contract().filter(|(_, (_, missed))| *missed > 0).map(|((_, event), _)| *event).collect();
            if !none.is_empty() {
                return Some(format!(
                    "this server answers none of {} (after {}): the default contract needs the fixture; write a \
                     `contract:` with the events of your application, see docs/your-server.md",
                    none.join(", "),
                    format::duration(now)
                ));
            }
        }
        let never = events.iter().find(|(_, (answered, missed))| *answered == 0 && *missed >= MANY);
        never.map(|((by_contract, event), (_, missed))| {
            let why = match self.heard_instead(tally, event) {
                Some(error) => format!(", an event that no step names came instead: {error}"),
                // What comes too early for an application is lost.
                None if *by_contract && !self.awaits_ready => {
                    ": `ack: false`? Or does the application register its handlers only some time after it has let a client in \
                     (`ready` of the contract)?"
                        .to_owned()
                }
                None => ": `ack: false`?".to_owned(),
            };
            format!(
                "{event} is not acknowledged{why} ({} asked for, none received after {})",
                format::counted(*missed, "acknowledgement"),
                format::duration(now)
            )
        })
    }

    /// An event that tells of an error, where one came in place of an acknowledgement.
    fn heard_instead<'t>(&self, tally: &'t Tally, event: &str) -> Option<&'t str> {
        let steps = self.steps.iter().filter(|(_, asked)| asked.event == event);
        let mut failures = steps.filter_map(|(id, _)| tally.step(*id)).flat_map(|step| &step.failures);
        failures.find_map(|(_, failure)| {
            let heard = heard_instead(&failure.actual)?;
            let name = heard.strip_prefix("[\"")?.split('"').next()?;
            event_says_error(name).then_some(heard)
        })
    }
}

fn collect(steps: &[Numbered], found: &mut Vec<(StepId, AskedEvent)>) {
    for numbered in steps {
        found.extend(numbered.step.asks().map(|asked| (numbered.id, asked)));
        collect(numbered.step.inner(), found);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::document::Source;
    use crate::observe::{Cause, Failure, FailureKind, Observer, Who};
    use crate::plan::RunOptions;
    use crate::scenario::{Surroundings, read};

    const WHO: Who = Who { group: 0, n: 0, index: 0 };

    /// What is said of a scenario of which these steps, by their numbers, had an answer or missed one.
    fn said(more: &str, script: &str, answered: &[u32], missed: &[u32], dropped: bool) -> Option<String> {
        told((more, script), answered, missed, dropped, "")
    }

    /// The same of one whose clients missed them as this sentence says.
    fn told(
        (more, script): (&str, &str),
        answered: &[u32],
        missed: &[u32],
        dropped: bool,
        how: &str,
    ) -> Option<String> {
        let text =
            format!("name: t\nclients: {{ a: 1 }}\n{more}script: [ {{ a: [ connect, {script} ] }} ]\n");
        let source = Source { name: "t.yaml".to_owned(), text };
        let scenario = read(&source, &Surroundings::without_files()).unwrap_or_else(|m| panic!("{m}"));
        let plan = Plan::new(&scenario, RunOptions::usual(Instant::now()));
        let mut tally = Tally::new();
        answered.iter().for_each(|step| tally.passed(StepId(*step), WHO));
        for step in missed {
            let failure = Failure {
                expected: String::new(),
                actual: how.to_owned(),
                wire: Vec::new(),
                after: None,
                grounds: Default::default(),
            };
            tally.missed(StepId(*step), WHO, FailureKind::Ack, failure);
        }
        if dropped {
            tally.wronged(WHO, FailureKind::Dropped(Cause::Ended, None), "", "", &Vec::new);
        }
        Unanswered::new(&plan, &scenario).sentence(&tally, Duration::from_secs(16))
    }

    const SAY: &str = "{ emit: { event: say, ack: true } }";

    #[test]
    fn an_event_that_is_never_acknowledged_is_told_when_that_is_plain() {
        let told = said("", SAY, &[], &[1, 1, 1], false).expect("three are enough");
        assert!(told.starts_with("`say` is not acknowledged: `ack: false`? (3 acknowledgements"), "{told}");
        assert_eq!(said("", SAY, &[], &[1, 1], false), None);
        assert_eq!(said("", SAY, &[1], &[1, 1, 1], false), None);
        assert_eq!(said("", SAY, &[], &[1, 1, 1], true), None, "the connections are what is wrong");
        let twice = format!("{SAY}, {SAY}");
        assert!(said("", &twice, &[], &[1, 1, 2], false).is_some(), "the steps of an event count together");
        assert_eq!(said("thresholds: [ ack missed < 50 % ]\n", SAY, &[], &[1; 9], false), None);
    }

    #[test]
    fn an_error_that_came_instead_of_the_acknowledgements_is_told_in_place_of_the_question() {
        let said = |event: &str| {
            let how = format!("none came in time; an event came that no step names: [\"{event}\",1]");
            told(("", SAY), &[], &[1, 1, 1], false, &how).expect("it never answers")
        };
        let told = said("exception");
        assert!(told.contains("no step names came instead: [\"exception\",1] (3"), "{told}");
        assert!(!told.contains("ack: false"), "{told}");
        assert!(said("stats").contains("`ack: false`?"));
    }

    #[test]
    fn a_server_without_the_events_of_the_default_contract_is_told_by_the_first() {
        let told = said("", "{ join: lobby }", &[], &[1], false).expect("one is enough");
        assert!(told.starts_with("this server answers none of `t:join`"), "{told}");
        assert!(told.contains("the default contract needs the fixture") && told.contains("your-server.md"));
        let both = "{ join: lobby }, { broadcast: { to: lobby, event: x } }";
        assert_eq!(said("", both, &[1], &[2], false), None, "it has one of them");
        let own = "contract: { join: { emit: [enter, \"${room}\"], ack: true } }\n";
        assert_eq!(said(own, "{ join: lobby }", &[], &[1, 1], false), None);
        let told = said(own, "{ join: lobby }", &[], &[1, 1, 1], false).expect("it never answers");
        assert!(told.starts_with("`enter` is not acknowledged"), "{told}");
        assert!(told.contains("(`ready` of the contract)?"), "{told}");
        let ready = own.replace("{ join", "{ ready: { event: hi }, join");
        let told = said(&ready, "{ join: lobby }", &[], &[1, 1, 1], false).expect("it never answers");
        assert!(told.contains("`ack: false`? (3"), "they have waited for it: {told}");
    }
}
