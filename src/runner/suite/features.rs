//! Looks, before the first case, what a server has of that which cases may need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::thread;

use super::host::{Host, Life};
use super::schedule::run_case;
use crate::conformance::owner::{belongs, owner, rule};
use crate::conformance::result::{CaseResult, FeatureResult};
use crate::conformance::{Feature, OwnContract, Variant, Verdict, Versions};
use crate::contract::Verb;
use crate::document::Source;
use crate::protocol::Rule;
use crate::protocol::dialect::Parser;
use crate::report::result::{ErrorExample, ErrorResult, FailureResult};
use crate::runner::once::Ended;
use crate::runner::{Error, ServerConfig};
use crate::scenario::{self, Group, Scenario, Surroundings, Timings};
use crate::server::{Offer, Probing, offers};
use crate::session::Transport;
use crate::verdict::Status;

/// How often something is looked for before it counts as missing: a busy machine may be slow once.
const TRIES: usize = 2;

/// How often nodes are looked at that do not hear each other yet.
const TRIES_OF_NODES: usize = 5;

/// What a server lacks of that which a case uses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Their names.
    pub(super) features: Vec<String>,
    /// Why the case cannot be played.
    pub(super) reason: String,
    /// The rule that the server broke when it was asked for one of them, if it did: whether it has that is not known then.
    pub(super) broke: Option<Broken>,
}

/// A rule that the server broke when it was asked for something, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) error: ErrorResult,
}

/// What a server has.
pub(super) struct Features {
    found: BTreeMap<Feature, Offer>,
    /// What could not be found out, because the server broke a rule when it was asked.
    broken: BTreeMap<Feature, Broken>,
    /// That posts are not answered, if they are not.
    posts: Option<Broken>,
}

/// What was seen of a feature.
#[derive(Clone)]
struct Look {
    offer: Offer,
    /// What the server broke, if it is not there.
    broke: Option<Broken>,
}

impl Look {
    fn of(offer: Offer) -> Look {
        Look { offer, broke: None }
    }
}

/// The parser of packets that a server uses: the one with which it lets a client in. The usual one, where it lets in nobody.
pub(super) fn parser_of(server: &ServerConfig, host: &Host<'_>, stop: &AtomicBool) -> Parser {
    let timings = host.with(|running| server.timings(running.found()));
    let transport = Transport::default();
    let lets_in = |parser: Parser| {
        let scout = Scout { server, host, contract: None, transport, timings, parser, stop };
        let label = format!("the look for the parser {}", parser.name());
        let Look { offer, broke } = scout.look_for(&label, &Feature::connect(transport), 1);
        offer.there || broke.is_some()
    };
    match !lets_in(Parser::Default) && lets_in(Parser::Msgpack) {
        true => Parser::Msgpack,
        false => Parser::Default,
    }
}

impl Features {
    /// Looks at a server, for what is wanted and what has to be known to find that.
    ///
    /// # Errors
    /// What was seen, when nothing answers at all.
    pub(super) fn of(
        server: &ServerConfig,
        host: &Host<'_>,
        wanted: &BTreeSet<Feature>,
        contract: Option<&OwnContract>,
        parser: Parser,
        jobs: usize,
        stop: &AtomicBool,
    ) -> Result<Features, String> {
        let (endpoint, address, version) = host
            .with(|running| (running.endpoint().clone(), running.found().address, running.found().version));
        let timings = host.with(|running| server.timings(running.found()));
        let probing = Probing { version: Some(version), ..server.probing(vec![server.manner()]) };
        let ways = offers(&endpoint, address, &probing);
        if !ways.answered {
            return Err(format!(
                "the server answered once and then stopped answering: {}",
                ways.polling.seen
            ));
        }
        if let Some(refusal) = ways.refusal {
            return Err(refusal);
        }
        let transport = match (ways.websocket.there, ways.polling.there) {
            (false, true) => Transport::Polling,
            _ => Transport::Websocket,
        };
        let mut found = BTreeMap::from([
            (Feature::Polling, ways.polling),
            (Feature::Websocket, ways.websocket),
            (Feature::Upgrade, ways.upgrade),
            (Feature::MaxPayload, ways.max_payload),
        ]);
        let unheard = Offer { there: false, seen: "the suite does not speak WebTransport".to_owned() };
        found.extend(wanted.get(&Feature::Webtransport).map(|feature| (*feature, unheard)));
        found.extend(wanted.get(&Feature::Nodes).map(|nodes| (*nodes, of_nodes(host.nodes()))));
        let has_upgrades = found.get(&Feature::Upgrade).is_some_and(|upgrade| upgrade.there);
        if !has_upgrades && wanted.contains(&Feature::UpgradeTime) {
            let seen = "there are no upgrades, whose time could end".to_owned();
            found.insert(Feature::UpgradeTime, Offer { there: true, seen });
        }
        let scout = Scout { server, host, contract, transport, timings, parser, stop };
        let mut left: Vec<Feature> = Feature::all()
            .into_iter()
            .filter(|feature| !found.contains_key(feature) && wanted.contains(feature))
            .collect();
        let posts = match found.get(&Feature::Polling) {
            Some(polling) if polling.there && wanted.contains(&Feature::Polling) => scout.posts(),
            _ => None,
        };
        let mut broken = BTreeMap::new();
        let mut answers_all = false;
        if left.iter().any(|feature| feature.needs_connect() || *feature == Feature::Main) {
            let Look { offer: mut way_in, broke } =
                scout.look("the look for a way in", &Feature::connect(transport));
            // An application may look at who comes before it says that it does not want them.
            let put_out = Feature::putting_out(transport);
            let is_put_out =
                way_in.there && scout.look_for("the look whether clients may stay", &put_out, 1).offer.there;
            if is_put_out {
                way_in = gone("the server let a client in and put it out at once".to_owned());
                found.insert(Feature::Anonymous, way_in.clone());
            }
            // Only a refusal is a server's right: one that lets nobody in for a fault is to be told so by the cases.
            let is_refused =
                || scout.look("the look for a refusal", &Feature::refusal(transport)).offer.there;
            found.insert(
                Feature::Main,
                match is_put_out || (!way_in.there && is_refused()) {
                    true => way_in.clone(),
                    false => Offer { there: true, seen: "nobody was refused".to_owned() },
                },
            );
            if !way_in.there {
                // The rest cannot be there, so nothing waits for it.
                let (shut, open) = left.into_iter().partition(|feature| feature.needs_connect());
                let shut: Vec<Feature> = shut;
                note_broken(&mut broken, &shut, broke);
                found.extend(shut.into_iter().map(|feature| (feature, way_in.clone())));
                left = open;
            } else if left.iter().any(|feature| feature.is_any_acknowledgement()) {
                let label = "the look whether every event is acknowledged";
                // Once: most servers are silent here, and each try waits for them.
                answers_all = scout.look_for(label, &Feature::unknown_event(transport), 1).offer.there;
            }
        }
        if left.contains(&Feature::Anonymous) && !found.contains_key(&Feature::Anonymous) {
            let label = "the look for a refusal without credentials";
            let there = !scout.look_for(label, &Feature::anonymous_refusal(transport), 1).offer.there;
            let seen = if there { "nobody was refused" } else { "a CONNECT without credentials was refused" };
            found.insert(Feature::Anonymous, Offer { there, seen: seen.to_owned() });
        }
        if answers_all && let Some(who) = Feature::who().filter(|who| !left.contains(who)) {
            left.push(who);
        }
        if wanted.contains(&Feature::NoRecovery) && !left.contains(&Feature::Recovery) {
            left.push(Feature::Recovery);
        }
        if left.contains(&Feature::Unserved) {
            let label = "the look whether every namespace is served";
            // Once: whoever does not let the client in is asked by the cases what it does instead.
            let there = !scout.look_for(label, &Feature::any_namespace(transport), 1).offer.there;
            let seen =
                if there { "not every name was let in" } else { "a namespace with a random name was joined" };
            found.insert(Feature::Unserved, Offer { there, seen: seen.to_owned() });
        }
        left.retain(|feature| !found.contains_key(feature) && *feature != Feature::NoRecovery);
        for together in left.chunks(jobs) {
            thread::scope(|scope| {
                let looks: Vec<_> = together
                    .iter()
                    .map(|feature| (*feature, scope.spawn(move || scout.feature(*feature))))
                    .collect();
                for (feature, look) in looks {
                    let nothing = |_| Look::of(gone("the check for it was interrupted".to_owned()));
                    let Look { offer, broke } = look.join().unwrap_or_else(nothing);
                    note_broken(&mut broken, &[feature], broke);
                    found.insert(feature, offer);
                }
            });
        }
        // Who answers everything shows by `t:who` alone that its answers are those of the fixture.
        let knows_fixture = Feature::who().and_then(|who| found.get(&who)).is_some_and(|offer| offer.there);
        if answers_all && !knows_fixture {
            let seen = "the server acknowledges every event, also one with a random name";
            for (_, offer) in found.iter_mut().filter(|(feature, _)| feature.is_any_acknowledgement()) {
                *offer = gone(seen.to_owned());
            }
        }
        if let Some(Offer { there, seen }) = found.get(&Feature::Recovery).cloned() {
            found.insert(Feature::NoRecovery, Offer { there: !there, seen });
        }
        Ok(Features { found, broken, posts })
    }

    /// All of them, for the reference server with so many nodes to which clients connect: what it does not show is its fault.
    pub(super) fn granted(nodes: usize) -> Features {
        let offer = |feature| match feature {
            Feature::Nodes => of_nodes(nodes),
            _ => Offer { there: true, seen: "the reference server has it".to_owned() },
        };
        let found = Feature::all().into_iter().map(|feature| (feature, offer(feature))).collect();
        Features { found, broken: BTreeMap::new(), posts: None }
    }

    /// What keeps the clients of a case from speaking over their transport, if something is known to.
    pub(super) fn silence(&self, variant: Variant<'_>) -> Option<&Broken> {
        let upgrades = |group: &Group| group.transport == Some(Transport::Upgrade);
        let posts = match variant.transport {
            Some(transport) => matches!(transport, Transport::Polling | Transport::Upgrade),
            None => variant.case.scenario.groups.iter().any(upgrades),
        };
        self.posts.as_ref().filter(|_| posts)
    }

    /// What is missing of that which a case uses, if anything is.
    pub(super) fn missing(
        &self,
        uses: impl IntoIterator<Item = Feature>,
        versions: &Versions,
    ) -> Option<Missing> {
        // What a server of this version has to have is missed by the cases, not before them.
        let is_due = |feature: Feature| {
            feature.since().is_some_and(|(package, least)| versions.has(package, least) == Some(true))
        };
        let missing: Vec<(Feature, &Offer)> = uses
            .into_iter()
            .filter_map(|feature| Some((feature, self.found.get(&feature)?)))
            .filter(|(feature, offer)| !offer.there && !is_due(*feature))
            .collect();
        let (first_feature, first) = missing.first()?;
        let words: Vec<String> = missing.iter().map(|(feature, _)| feature.words()).collect();
        let names = match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => return None,
        };
        Some(Missing {
            features: missing.iter().map(|(feature, _)| feature.name().to_owned()).collect(),
            reason: format!("the server lacks {names} ({})", first.seen),
            // What it lacks beside that, it would lack all the same.
            broke: self
                .broken
                .get(first_feature)
                .filter(|_| missing.iter().all(|(feature, _)| self.broken.contains_key(feature)))
                .cloned(),
        })
    }

    /// What the application does not do of that which the contract says, and what was seen.
    pub(super) fn unserved(&self) -> Vec<(Verb, &str)> {
        let is_unserved = |(feature, offer): (&Feature, &'_ Offer)| match feature {
            Feature::Asked(verb) if !offer.there => Some(*verb),
            _ => None,
        };
        let all = self.found.iter();
        all.filter_map(|(feature, offer)| Some((is_unserved((feature, offer))?, offer.seen.as_str())))
            .collect()
    }

    /// For the report.
    pub(super) fn results(&self) -> Vec<FeatureResult> {
        let row = |feature: Feature| {
            let offer = self.found.get(&feature)?;
            Some(FeatureResult {
                name: feature.name().to_owned(),
                there: offer.there,
                seen: offer.seen.clone(),
            })
        };
        Feature::all().into_iter().filter_map(row).collect()
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

/// Who looks, and where.
#[derive(Clone, Copy)]
struct Scout<'a> {
    server: &'a ServerConfig,
    host: &'a Host<'a>,
    contract: Option<&'a OwnContract>,
    transport: Transport,
    timings: Timings,
    parser: Parser,
    stop: &'a AtomicBool,
}

impl Scout<'_> {
    fn feature(&self, feature: Feature) -> Look {
        let label = format!("the look for {}", feature.name());
        if let (Feature::Asked(verb), Some(contract)) = (feature, self.contract) {
            return match contract.probe(verb, self.transport) {
                Some(source) => {
                    self.look_in(&label, &source, TRIES, Some(contract.namespace()), &contract.surroundings())
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

    /// Whether posts are not answered, so that each client that posts would wait for that in vain.
    fn posts(&self) -> Option<Broken> {
        let Look { broke, .. } = self.look("the look whether posts are answered", &Feature::answer_to_post());
        broke.filter(|broke| broke.rule == Rule::PostAnswer)
    }

    fn look(&self, label: &str, source: &Source) -> Look {
        self.look_for(label, source, TRIES)
    }

    fn look_for(&self, label: &str, source: &Source, tries: usize) -> Look {
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
                match (checks.last(), failure) {
                    (Some(last), _) if last.passed > 0 => {
                        Look::of(Offer { there: true, seen: "it answered".to_owned() })
                    }
                    (_, Some(failure)) => {
                        Look { offer: gone(failure.actual.clone()), broke: Broken::of(failure) }
                    }
                    _ => Look::of(gone(played.result.verdict.reason)),
                }
            }
        }
    }
}

fn of_nodes(number: usize) -> Offer {
    match number {
        1 => gone(
            "it has one: `--nodes 2 --server COMMAND` starts two, and `--url a=URL,b=URL` names them"
                .to_owned(),
        ),
        _ => Offer { there: true, seen: format!("it has {number}") },
    }
}

impl Broken {
    fn of(failure: &FailureResult) -> Option<Broken> {
        let rule = rule(failure.after.as_deref()?)?;
        let FailureResult { client, actual, wire, .. } = failure.clone();
        let error = ErrorResult {
            cause: rule.requirement().to_owned(),
            count: 1,
            is_wrong: true,
            rule: Some(rule.name().to_owned()),
            examples: vec![ErrorExample { client, detail: actual, wire }],
        };
        Some(Broken { rule, error })
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

/// Keeps in mind that it is not known whether a server has these, if the rule that it broke is one by which the answer went astray: a
/// server that has it shows it by nothing else.
fn note_broken(all: &mut BTreeMap<Feature, Broken>, features: &[Feature], broke: Option<Broken>) {
    let Some(broke) = broke else { return };
    let hides = |feature: &Feature| match broke.rule {
        Rule::ConnectReply | Rule::ConnectPayload => true,
        Rule::NamespaceUnasked => {
            matches!(feature, Feature::Custom | Feature::Guard | Feature::Dynamic)
        }
        Rule::AckUnknown | Rule::AckId | Rule::AckPayload => matches!(feature, Feature::Event(_)),
        _ => false,
    };
    all.extend(features.iter().filter(|feature| hides(feature)).map(|feature| (*feature, broke.clone())));
}

fn gone(seen: String) -> Offer {
    Offer { there: false, seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(missing: &[Feature]) -> Features {
        let offer = |feature| match missing.contains(&feature) {
            true => gone(format!("no {}", feature.name())),
            false => Offer { there: true, seen: "it answered".to_owned() },
        };
        let found = Feature::all().into_iter().map(|feature| (feature, offer(feature))).collect();
        Features { found, broken: BTreeMap::new(), posts: None }
    }

    #[test]
    fn a_case_is_told_everything_that_it_lacks_and_what_was_seen_of_the_first() {
        let features = lacking(&[Feature::Polling, Feature::Upgrade, Feature::Recovery]);
        assert_eq!(features.missing([Feature::Websocket], &Versions::default()), None);
        let polling = features
            .missing([Feature::Websocket, Feature::Polling], &Versions::default())
            .expect("it is missing");
        assert_eq!(polling.reason, format!("the server lacks {} (no polling)", Feature::Polling.words()));
        assert_eq!(polling.features, [Feature::Polling.name()]);
        let [first, second] = [Feature::Polling, Feature::Upgrade].map(Feature::words);
        let both = features
            .missing([Feature::Polling, Feature::Upgrade], &Versions::default())
            .expect("they are missing");
        assert_eq!(both.reason, format!("the server lacks {first} and {second} (no polling)"));
    }

    #[test]
    fn the_reference_server_lacks_nothing() {
        assert_eq!(Features::granted(2).missing(Feature::all(), &Versions::default()), None);
        assert!(Features::granted(2).results().iter().all(|feature| feature.there));
        let alone = Features::granted(1).missing([Feature::Nodes], &Versions::default());
        let reason = alone.expect("it has one node").reason;
        assert!(
            reason.starts_with("the server lacks several nodes that share the work (it has one: "),
            "{reason}"
        );
    }

    #[test]
    fn what_came_with_a_version_is_missed_by_the_cases_where_the_server_has_that_version() {
        let features = lacking(&[Feature::MaxPayload]);
        let missing = |text: &str| {
            let mut versions = Versions::default();
            let (name, version) = Versions::read_one(text).expect("it is well written");
            versions.note(&name, &version);
            features.missing([Feature::MaxPayload], &versions).is_some()
        };
        assert!(missing("engine.io 6.1.3") && missing("python-engineio 4.0.0"));
        assert!(!missing("engine.io 6.2.0"));
    }
}
