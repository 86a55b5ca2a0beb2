//! Plays what looks at a server before the first case: one short scenario for each thing that it may have.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::host::{Host, Life};
use super::schedule::run_case;
use crate::conformance::contract::LATER;
use crate::conformance::owner::{belongs, owner, rule};
use crate::conformance::result::CaseResult;
use crate::conformance::{Feature, OwnContract, Verdict};
use crate::contract::Verb;
use crate::document::Source;
use crate::protocol::Rule;
use crate::protocol::dialect::Parser;
use crate::report::result::{CheckResult, ErrorExample, ErrorResult, FailureResult};
use crate::runner::once::Ended;
use crate::runner::{Error, ServerConfig};
use crate::scenario::{self, Scenario, Surroundings, Timings};
use crate::server::Offer;
use crate::session::Transport;
use crate::verdict::Status;

/// How often something is looked for before it counts as missing: a busy machine may be slow once.
const TRIES: usize = 2;

/// How often nodes are looked at that do not hear each other yet.
const TRIES_OF_NODES: usize = 5;

/// What was seen of a feature.
#[derive(Clone)]
pub(super) struct Look {
    pub(super) offer: Offer,
    /// What the server broke, if it is not there.
    pub(super) broke: Option<Broken>,
    /// The check that did not hold.
    failure: Option<FailureResult>,
    /// Whether the server broke no rule meanwhile.
    pub(super) is_clean: bool,
}

impl Look {
    fn of(offer: Offer) -> Look {
        Look { offer, broke: None, failure: None, is_clean: true }
    }
}

/// A rule that the server broke when it was asked for something, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) error: ErrorResult,
}
impl Broken {
    /// What a failure came after: as the errors tell of it, or else in the words of the failure.
    fn of(failure: &FailureResult, errors: &[ErrorResult]) -> Option<Broken> {
        let rule = rule(failure.after.as_deref()?)?;
        if let Some(error) = errors.iter().find(|error| error.rule.as_deref() == Some(rule.name())) {
            return Some(Broken { rule, error: ErrorResult { count: 1, ..error.clone() } });
        }
        Some(Broken::by(rule, failure))
    }

    /// That this failure shows this rule broken.
    fn by(rule: Rule, failure: &FailureResult) -> Broken {
        let FailureResult { client, actual, wire, .. } = failure.clone();
        let error = ErrorResult {
            cause: rule.requirement().to_owned(),
            count: 1,
            is_wrong: true,
            rule: Some(rule.name().to_owned()),
            examples: vec![ErrorExample { client, detail: actual, wire }],
        };
        Broken { rule, error }
    }

    /// Whether a case examines the clause that owns the rule, or is about the same.
    pub(super) fn is_about(&self, clauses: &[String]) -> bool {
        clauses.iter().any(|clause| belongs(self.rule, clause))
    }

    /// A case that is not played, because nobody knows whether the server has what it needs.
    pub(super) fn blocks(self, mut case: CaseResult) -> CaseResult {
        let Some(clause) = owner(self.rule) else { return case };
        case.reason = format!(
            "was not played, because the server broke {clause} when it was asked for what the case needs: {}",
            self.rule.requirement()
        );
        case.verdict = Verdict::Blocked;
        case.by = Some(clause.to_owned());
        case.errors = vec![self.error];
        case
    }
}
/// The parser of packets that a server uses: the one with which it lets a client in. The usual one, where it lets in nobody.
pub(super) fn parser_of(server: &ServerConfig, host: &Host<'_>, stop: &AtomicBool) -> Parser {
    let timings = host.with(|running| server.timings(running.found()));
    let transport = Transport::default();
    let lets_in = |parser: Parser| {
        let scout = Scout { server, host, contract: None, transport, timings, parser, stop };
        let label = format!("the look for the parser {}", parser.name());
        let Look { offer, broke, .. } = scout.look_for(&label, &Feature::connect(transport), 1);
        offer.there || broke.is_some()
    };
    match !lets_in(Parser::Default) && lets_in(Parser::Msgpack) {
        true => Parser::Msgpack,
        false => Parser::Default,
    }
}

/// Waits until the nodes of a server hear each other, which some do only a moment after they answer. Where they never do, the cases
/// say so.
pub(super) fn await_nodes(
    server: &ServerConfig,
    host: &Host<'_>,
    contract: Option<&OwnContract>,
    stop: &AtomicBool,
) {
    let nodes = host.nodes();
    let text = format!(
        "name: whether the nodes hear each other\nneeds: contract\nclients: {{ a: {{ count: {nodes}, node: \"${{n}}\" }} }}\n\
         script:\n  - a: {{ connect: {{ within: 1s }} }}\n  - a: {{ broadcast: {{ say: hello, within: 1s }} }}\n  \
         - a: {{ expect: {{ said: hello, times: {}, within: 1s }} }}\n",
        nodes - 1
    );
    let source = Source { name: "a look at the server".to_owned(), text };
    let surroundings = contract.map_or_else(Surroundings::without_files, OwnContract::surroundings);
    // Not every contract has a broadcast to everybody.
    let Ok(scenario) = scenario::read(&source, &surroundings) else { return };
    let namespace = contract.map(OwnContract::namespace);
    for _ in 0..TRIES_OF_NODES {
        let label = "the look whether the nodes hear each other";
        let life = host.enter(label);
        let played = leaving(host, label, &life, || {
            run_case(server, &life, &source, &scenario, namespace, Transport::default(), 1, stop)
        });
        let is_over = !matches!(&played, Ok(Some(ended)) if ended.result.verdict.status != Status::Passed);
        if is_over {
            return;
        }
    }
}

/// Plays what looks at a server, and leaves the server.
fn leaving(
    host: &Host<'_>,
    label: &str,
    life: &Life,
    play: impl FnOnce() -> Result<Option<Ended>, Error>,
) -> Result<Option<Ended>, Error> {
    let played = play();
    host.leave(label, life, matches!(&played, Ok(Some(ended)) if ended.is_broken()));
    played
}

/// What is said of an application that registers its handlers late.
fn late(verb: Verb) -> String {
    format!(
        "what a client sends right after it has connected is lost: `{}` was not answered within {LATER}, and the same after that over the \
         same connection was; so the application registers its handlers late: say in the contract which event tells a client that it \
         is ready (`ready: {{ event: NAME }}`), or register them before the first `await`",
        verb.name()
    )
}

/// Who looks, and where.
#[derive(Clone, Copy)]
pub(super) struct Scout<'a> {
    pub(super) server: &'a ServerConfig,
    pub(super) host: &'a Host<'a>,
    pub(super) contract: Option<&'a OwnContract>,
    pub(super) transport: Transport,
    pub(super) timings: Timings,
    pub(super) parser: Parser,
    pub(super) stop: &'a AtomicBool,
}

impl Scout<'_> {
    pub(super) fn feature(&self, feature: Feature) -> Look {
        let label = format!("the look for {}", feature.name());
        if let (Feature::Asked(verb), Some(contract)) = (feature, self.contract) {
            return match contract.probe(verb, self.transport) {
                Some(source) => {
                    // Where one of two is not served, cases about both would say of the server that it loses what they wait for.
                    let look_in = |namespace: &String| {
                        self.look_in(&label, &source, TRIES, Some(namespace), &contract.surroundings())
                    };
                    let mut look = look_in(&contract.namespaces()[0]);
                    for other in &contract.namespaces()[1..] {
                        if look.offer.there {
                            look = look_in(other);
                        }
                    }
                    if !look.offer.there && self.is_late(&label, verb, contract) {
                        look = Look::of(gone(late(verb)));
                    }
                    look
                }
                None => Look::of(gone(
                    "the contract does not say how to `join` the room that it wants".to_owned(),
                )),
            };
        }
        match feature.probe(self.transport) {
            Some(source) => self.look(&label, &source),
            None => Look::of(gone("nothing to look for".to_owned())),
        }
    }

    /// Whether the application loses what a client sends right after it has connected, and answers the same a while later.
    fn is_late(&self, label: &str, verb: Verb, contract: &OwnContract) -> bool {
        let Some(source) = contract.probe_again(verb, self.transport) else { return false };
        let Ok(mut scenario) = scenario::read(&source, &contract.surroundings()) else { return false };
        scenario.speak(self.parser);
        let life = self.host.enter(label).at_first();
        let namespace = Some(contract.namespace());
        let played = leaving(self.host, label, &life, || {
            run_case(self.server, &life, &source, &scenario, namespace, self.transport, 1, self.stop)
        });
        let Ok(Some(played)) = played else { return false };
        let holds = |check: &&CheckResult| check.failed + check.missed == 0;
        // After the connect, the same steps twice.
        let asked = played.result.checks.get(1..).unwrap_or_default();
        let (first, again) = asked.split_at(asked.len() / 2);
        let is_first_alone_lost = first.len() == again.len()
            && !first.iter().all(|check| holds(&check))
            && again.iter().all(|check| holds(&check) && check.passed > 0);
        let later = contract.probe_later(verb, self.transport).filter(|_| is_first_alone_lost);
        later.is_some_and(|later| {
            self.look_in(label, &later, 1, namespace, &contract.surroundings()).offer.there
        })
    }

    /// Looks for all of these, so many at a time.
    pub(super) fn features(&self, all: &[Feature], jobs: usize) -> Vec<(Feature, Look)> {
        let next = AtomicUsize::new(0);
        let looks = Mutex::new(Vec::new());
        let look_on = || {
            while let Some(feature) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let look = self.feature(*feature);
                looks.lock().unwrap_or_else(PoisonError::into_inner).push((*feature, look));
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs.min(all.len())).map(|_| scope.spawn(look_on)).collect();
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let mut looks = looks.into_inner().unwrap_or_else(PoisonError::into_inner);
        // What a thread did not come to tell was interrupted.
        for feature in all {
            if !looks.iter().any(|(looked, _)| looked == feature) {
                looks.push((*feature, Look::of(gone("the check for it was interrupted".to_owned()))));
            }
        }
        looks.sort_by_key(|(feature, _)| *feature);
        looks
    }

    /// Whether posts are not answered, so that each client that posts would wait for that in vain.
    pub(super) fn posts(&self) -> Option<Broken> {
        let Look { broke, .. } = self.look("the look whether posts are answered", &Feature::answer_to_post());
        broke.filter(|broke| broke.rule == Rule::PostAnswer)
    }

    /// Whether clients are told another id than that of their socket, where `t:who` tells it.
    pub(super) fn ids(&self) -> Option<Broken> {
        let look = self.look("the look for the id of a socket", &Feature::own_id(self.transport));
        let told =
            look.failure.filter(|failure| failure.after.is_none() && failure.actual.contains("\"id\""))?;
        Some(Broken::by(Rule::SidTaken, &told))
    }

    /// Whether polls are not answered, so that nothing is heard over long-polling.
    pub(super) fn polls(&self) -> Option<Broken> {
        let Look { broke, .. } = self.look("the look whether polls are answered", &Feature::answer_to_poll());
        broke.filter(|broke| broke.rule == Rule::PollAnswer)
    }

    /// What keeps clients from coming in by this transport, where the server lets them in by others.
    pub(super) fn way_in(&self, transport: Transport) -> Option<Broken> {
        let scout = Scout { transport, ..*self };
        let label = format!("the look for a way in by {}", transport.name());
        let look = scout.look_for(&label, &Feature::connect(transport), 1);
        let slow = || scout.look_for(&label, &Feature::slow_connect(transport), 1);
        let Look { broke, .. } = if look.offer.there { look } else { slow() };
        // Silence alone may be that of a server that is slow.
        broke.filter(|broke| !broke.rule.is_harmless() && broke.rule != Rule::ConnectUnanswered)
    }

    pub(super) fn look(&self, label: &str, source: &Source) -> Look {
        self.look_for(label, source, TRIES)
    }

    pub(super) fn look_for(&self, label: &str, source: &Source, tries: usize) -> Look {
        let surroundings = Surroundings::without_files().with(self.timings);
        self.look_in(label, source, tries, None, &surroundings)
    }

    fn look_in(
        &self,
        label: &str,
        source: &Source,
        tries: usize,
        namespace: Option<&str>,
        surroundings: &Surroundings,
    ) -> Look {
        let scenario = match scenario::read(source, surroundings) {
            Ok(mut scenario) => {
                scenario.speak(self.parser);
                scenario
            }
            Err(mistake) => return Look::of(gone(mistake.to_string())),
        };
        let mut look = self.once(label, source, &scenario, namespace);
        for _ in 1..tries {
            if !look.offer.there {
                look = self.once(label, source, &scenario, namespace);
            }
        }
        look
    }

    fn once(&self, label: &str, source: &Source, scenario: &Scenario, namespace: Option<&str>) -> Look {
        // What an application has, a single node shows; whether nodes know of each other is for the cases to judge.
        let life = self.host.enter(label).at_first();
        let played = leaving(self.host, label, &life, || {
            run_case(self.server, &life, source, scenario, namespace, self.transport, 1, self.stop)
        });
        match played {
            Err(error) => Look::of(gone(error.line())),
            Ok(None) => Look::of(gone("interrupted".to_owned())),
            Ok(Some(played)) => {
                // Only the last step counts: if the server breaks a rule before it, the cases report that.
                let checks = &played.result.checks;
                let failure = checks.iter().flat_map(|check| &check.failures).next();
                let is_clean = played.result.errors.iter().all(|error| error.rule.is_none());
                let look = match (checks.last(), failure) {
                    (Some(last), _) if last.passed > 0 => {
                        Look::of(Offer { there: true, seen: "it answered".to_owned() })
                    }
                    (_, Some(failure)) => Look {
                        broke: Broken::of(failure, &played.result.errors),
                        failure: Some(failure.clone()),
                        ..Look::of(gone(failure.actual.clone()))
                    },
                    _ => Look::of(gone(played.result.verdict.reason)),
                };
                Look { is_clean, ..look }
            }
        }
    }
}
pub(super) fn gone(seen: String) -> Offer {
    Offer { there: false, seen }
}
