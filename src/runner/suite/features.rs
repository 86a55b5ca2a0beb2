//! Looks, before the first case, what a server has of that which cases may need.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::thread;

use super::host::Host;
use super::scout::{Broken, Look, Scout, gone};
use crate::conformance::owner::{is_of_data, owner};
use crate::conformance::result::FeatureResult;
use crate::conformance::{Feature, OwnContract, Variant, Versions};
use crate::contract::Verb;
use crate::document::Source;
use crate::protocol::Rule;
use crate::protocol::dialect::Parser;
use crate::runner::ServerConfig;
use crate::runner::webtransport::MISSING;
use crate::scenario::Group;
use crate::server::{Offer, Probing, offers};
use crate::session::Transport;
use crate::transport::HAS_WEBTRANSPORT;

/// What is looked for by an event with a random name.
const EVERY_EVENT: &str = "the look whether every event is acknowledged";

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

/// What a server has.
pub(super) struct Features {
    found: BTreeMap<Feature, Offer>,
    /// What could not be found out, because the server broke a rule when it was asked.
    broken: BTreeMap<Feature, Broken>,
    /// That posts are not answered, if they are not.
    posts: Option<Broken>,
    /// That polls are not, if they are not.
    polls: Option<Broken>,
    /// That clients are told other ids than those of their sockets, if they are.
    ids: Option<Broken>,
    /// What keeps clients from coming in by a transport, where others let them in.
    ways: BTreeMap<Feature, Broken>,
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
        found.extend(wanted.get(&Feature::Nodes).map(|nodes| (*nodes, of_nodes(host.nodes()))));
        let has_upgrades = found.get(&Feature::Upgrade).is_some_and(|upgrade| upgrade.there);
        if !has_upgrades && wanted.contains(&Feature::UpgradeTime) {
            let seen = "there are no upgrades, whose time could end".to_owned();
            found.insert(Feature::UpgradeTime, Offer { there: true, seen });
        }
        let scout = Scout { server, host, contract, transport, timings, parser, stop };
        if wanted.contains(&Feature::Webtransport) {
            found.insert(Feature::Webtransport, webtransport(scout, endpoint.secure));
        }
        let mut left: Vec<Feature> = Feature::all()
            .into_iter()
            .filter(|feature| !found.contains_key(feature) && wanted.contains(feature))
            .collect();
        let polls = found.get(&Feature::Polling).is_some_and(|polling| polling.there)
            && wanted.contains(&Feature::Polling);
        let posts = polls.then(|| scout.posts()).flatten();
        let polls = (polls && posts.is_none()).then(|| scout.polls()).flatten();
        let (mut broken, mut ways) = (BTreeMap::new(), BTreeMap::new());
        let mut may_answer_all = false;
        if left.iter().any(|feature| feature.needs_connect() || *feature == Feature::Main) {
            let Look { offer: mut way_in, broke, .. } =
                scout.look("the look for a way in", &Feature::connect(transport));
            // An application may look at who comes before it says that it does not want them.
            let put_out = Feature::putting_out(transport);
            // A client that cannot read on ends the connection itself.
            let is_put_out = || {
                let stays = "the look whether clients may stay";
                scout.look_for(stays, &put_out, 1).offer.there
                    && scout.look_for(stays, &Feature::staying(transport), 1).is_clean
            };
            let is_put_out = way_in.there && is_put_out();
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
            if way_in.there && posts.is_none() && polls.is_none() {
                let is_there = |feature| found.get(&feature).is_some_and(|offer| offer.there);
                ways = ways_in(scout, |feature| wanted.contains(&feature) && is_there(feature));
            }
            if !way_in.there {
                // The rest cannot be there, so nothing waits for it.
                // Who is silent at `/` is silent elsewhere, too.
                let is_silent = broke.as_ref().is_some_and(|broke| broke.rule == Rule::ConnectUnanswered);
                let (mut shut, open): (Vec<Feature>, Vec<Feature>) = left
                    .into_iter()
                    .partition(|feature| feature.needs_connect() || (is_silent && feature.is_of_fixture()));
                shut.extend(is_silent.then_some(Feature::Main));
                note_broken(&mut broken, &shut, broke);
                found.extend(shut.into_iter().map(|feature| (feature, way_in.clone())));
                left = open;
            } else {
                may_answer_all = left.iter().any(|feature| feature.is_any_acknowledgement());
            }
        }
        if wanted.contains(&Feature::NoRecovery) && !left.contains(&Feature::Recovery) {
            left.push(Feature::Recovery);
        }
        left.retain(|feature| !found.contains_key(feature));
        // Once: most servers are silent when they are asked for what nobody has, and each try waits for them.
        let once = |label: &str, source: Source| scout.look_for(label, &source, 1).offer.there;
        let asks_anonymous = left.contains(&Feature::Anonymous);
        let asks_unserved = left.contains(&Feature::Unserved);
        let is_else = |feature: &Feature| {
            !matches!(feature, Feature::Anonymous | Feature::Unserved | Feature::NoRecovery)
        };
        left.retain(is_else);
        let (answers_all, is_refused, serves_all, looks) = thread::scope(|scope| {
            let answers_all =
                scope.spawn(|| may_answer_all && once(EVERY_EVENT, Feature::unknown_event(transport)));
            let is_refused = scope.spawn(|| {
                let label = "the look for a refusal without credentials";
                asks_anonymous && once(label, Feature::anonymous_refusal(transport))
            });
            let serves_all = scope.spawn(|| {
                let label = "the look whether every namespace is served";
                asks_unserved && once(label, Feature::any_namespace(transport))
            });
            let looks = scout.features(&left, jobs);
            let joined = |look: thread::ScopedJoinHandle<'_, bool>| look.join().unwrap_or_default();
            (joined(answers_all), joined(is_refused), joined(serves_all), looks)
        });
        if asks_anonymous {
            let seen =
                if is_refused { "a CONNECT without credentials was refused" } else { "nobody was refused" };
            found.insert(Feature::Anonymous, Offer { there: !is_refused, seen: seen.to_owned() });
        }
        if asks_unserved {
            // Whoever does not let the client in is asked by the cases what it does instead.
            let seen = if serves_all {
                "a namespace with a random name was joined"
            } else {
                "not every name was let in"
            };
            found.insert(Feature::Unserved, Offer { there: !serves_all, seen: seen.to_owned() });
        }
        let who = Feature::who().filter(|who| answers_all && !left.contains(who));
        let who = who.map(|who| (who, scout.feature(who)));
        let (mut unanswered, mut misanswered) = (Vec::new(), Vec::new());
        for (feature, Look { offer, broke, .. }) in looks.into_iter().chain(who) {
            let missing = broke.as_ref().filter(|broke| broke.rule == Rule::AckMissing);
            unanswered.extend(missing.map(|broke| (feature, broke.clone())));
            let spoilt = broke.as_ref().filter(|broke| broke.rule == Rule::AckSpoilt);
            misanswered.extend(spoilt.map(|broke| (feature, broke.clone())));
            note_broken(&mut broken, &[feature], broke);
            found.insert(feature, offer);
        }
        // Who handles an event of the fixture, and acknowledges none of them, keeps its acknowledgements to itself.
        let is_there = |feature: Feature| found.get(&feature).is_some_and(|offer| offer.there);
        let is_answered = found.iter().any(|(feature, offer)| offer.there && feature.is_acknowledged());
        let handles = !unanswered.is_empty() && !is_answered && Feature::burst().is_some_and(is_there);
        let is_mute = || {
            let label = "the look whether what is handled is acknowledged";
            let look = scout.look_for(label, &Feature::acknowledged_burst(transport), 1);
            look.broke.is_some_and(|broke| broke.rule == Rule::AckMissing)
        };
        if handles && is_mute() {
            broken.extend(unanswered);
        }
        // Who answers the event that asks for nothing but its own words, without them, and answers no other, loses what answers say.
        let loses_words = misanswered.iter().any(|(feature, _)| Some(*feature) == Feature::echo());
        let answers_any = || answers_all || once(EVERY_EVENT, Feature::unknown_event(transport));
        if loses_words && !answers_any() {
            broken.extend(misanswered);
        }
        // Who answers everything shows by `t:who` alone that its answers are those of the fixture, and an echo shows itself.
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
        let ids = knows_fixture.then(|| scout.ids()).flatten();
        Ok(Features { found, broken, posts, polls, ids, ways })
    }

    /// All of them, for the reference server: what it does not show is its fault, unless it broke a rule when it was asked, so that
    /// nobody knows. Of what is wanted.
    pub(super) fn of_reference(
        server: &ServerConfig,
        host: &Host<'_>,
        wanted: &BTreeSet<Feature>,
        jobs: usize,
        stop: &AtomicBool,
    ) -> Features {
        let mut features = Features::granted(host.nodes());
        let timings = host.with(|running| server.timings(running.found()));
        let (transport, parser) = (Transport::default(), Parser::Default);
        let scout = Scout { server, host, contract: None, transport, timings, parser, stop };
        let polls = wanted.contains(&Feature::Polling);
        features.posts = polls.then(|| scout.posts()).flatten();
        features.polls = (polls && features.posts.is_none()).then(|| scout.polls()).flatten();
        let left: Vec<Feature> = wanted.iter().copied().filter(|feature| feature.is_of_fixture()).collect();
        if !left.is_empty() {
            let Look { offer, broke, .. } = scout.look("the look for a way in", &Feature::connect(transport));
            if offer.there && features.posts.is_none() && features.polls.is_none() {
                features.ways = ways_in(scout, |feature| wanted.contains(&feature));
            }
            let (shut, open): (Vec<Feature>, Vec<Feature>) =
                left.into_iter().partition(|feature| !offer.there && feature.needs_connect());
            note_broken(&mut features.broken, &shut, broke);
            for (feature, Look { broke, .. }) in scout.features(&open, jobs) {
                note_broken(&mut features.broken, &[feature], broke);
            }
        }
        for feature in features.broken.keys() {
            features.found.insert(*feature, gone("it broke a rule when it was asked".to_owned()));
        }
        features
    }

    fn granted(nodes: usize) -> Features {
        let offer = |feature| match feature {
            Feature::Nodes => of_nodes(nodes),
            Feature::Webtransport => gone("the reference server has none".to_owned()),
            _ => Offer { there: true, seen: "the reference server has it".to_owned() },
        };
        let found = Feature::all().into_iter().map(|feature| (feature, offer(feature))).collect();
        let (posts, polls, ids, ways) = (None, None, None, BTreeMap::new());
        Features { found, broken: BTreeMap::new(), posts, polls, ids, ways }
    }

    /// What keeps the clients of a case from speaking over their transport, if something is known to.
    pub(super) fn silence(&self, variant: Variant<'_>) -> Option<&Broken> {
        let upgrades = |group: &Group| group.transport == Some(Transport::Upgrade);
        let posts = match variant.transport {
            Some(transport) => matches!(transport, Transport::Polling | Transport::Upgrade),
            None => variant.case.scenario.groups.iter().any(upgrades),
        };
        let uses = variant.uses();
        let polls = || uses.contains(&Feature::Polling) || uses.contains(&Feature::Upgrade);
        // What speaks over long-polling alone may do so by hand, and see what the server does instead.
        let way = || match variant.transport {
            None => variant.case.scenario.groups.iter().any(upgrades).then_some(Transport::Upgrade),
            own => own,
        };
        let posts = self.posts.as_ref().filter(|_| posts);
        let polls = posts.or_else(|| self.polls.as_ref().filter(|_| polls()));
        let ids = || self.ids.as_ref().filter(|_| Feature::names_ids(&variant.case.source));
        polls.or_else(|| self.ways.get(&Feature::of(way()?))).or_else(ids)
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

fn of_nodes(number: usize) -> Offer {
    match number {
        1 => gone(
            "it has one: `--nodes 2 --server COMMAND` starts two, and `--url a=URL,b=URL` names them"
                .to_owned(),
        ),
        _ => Offer { there: true, seen: format!("it has {number}") },
    }
}

/// Whether clients come in over WebTransport.
fn webtransport(scout: Scout<'_>, is_secure: bool) -> Offer {
    match () {
        () if !HAS_WEBTRANSPORT => gone(MISSING.to_owned()),
        () if !is_secure => gone("it needs a server that is named with https://".to_owned()),
        () => {
            let way_in = Feature::connect(Transport::Webtransport);
            let scout = Scout { transport: Transport::Webtransport, ..scout };
            scout.look("the look for a way in by webtransport", &way_in).offer
        }
    }
}

/// What keeps clients from coming in by long-polling and by upgrades, of that which is wanted.
fn ways_in(scout: Scout<'_>, is_wanted: impl Fn(Feature) -> bool) -> BTreeMap<Feature, Broken> {
    let ways =
        [Transport::Polling, Transport::Upgrade].into_iter().filter(|way| is_wanted(Feature::of(*way)));
    let broken = ways.filter_map(|way| Some((Feature::of(way), scout.way_in(way)?)));
    broken.collect()
}

/// Keeps in mind that it is not known whether a server has these, if the rule that it broke is one by which the answer went astray, or
/// could not be read: a server that has it shows it by nothing else.
fn note_broken(all: &mut BTreeMap<Feature, Broken>, features: &[Feature], broke: Option<Broken>) {
    let Some(broke) = broke else { return };
    let hides = |feature: &Feature| match broke.rule {
        // A limit of this program says nothing of the server.
        rule if owner(rule).is_none() => false,
        Rule::ConnectReply | Rule::ConnectPayload | Rule::NamespaceUnasked => true,
        // It may have no such event, or one of its own.
        Rule::AckMissing | Rule::EventLost | Rule::UpgradeLoss => false,
        rule if is_of_data(rule) || rule == Rule::NumberText => false,
        // Of a server that serves other namespaces, it may only mean that it has not this one.
        Rule::ConnectUnanswered => features.contains(&Feature::Main),
        // Below the namespaces, nothing is said of them, either.
        rule if !rule.name().starts_with("socket.") => !rule.is_harmless() && feature.is_of_fixture(),
        rule => !rule.is_harmless() && matches!(feature, Feature::Event(_)),
    };
    all.extend(features.iter().filter(|feature| hides(feature)).map(|feature| (*feature, broke.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::ErrorResult;

    fn lacking(missing: &[Feature]) -> Features {
        let offer = |feature| match missing.contains(&feature) {
            true => gone(format!("no {}", feature.name())),
            false => Offer { there: true, seen: "it answered".to_owned() },
        };
        let found = Feature::all().into_iter().map(|feature| (feature, offer(feature))).collect();
        Features { found, ..Features::granted(1) }
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
    fn the_reference_server_lacks_nothing_but_webtransport() {
        let missing = Features::granted(2).missing(Feature::all(), &Versions::default());
        assert_eq!(missing.map(|missing| missing.features), Some(vec!["webtransport".to_owned()]));
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

    #[test]
    fn a_limit_of_this_program_leaves_a_feature_missing_and_a_rule_that_the_server_broke_leaves_it_unknown() {
        let hidden = |rule: Rule| {
            let error = ErrorResult {
                cause: String::new(),
                count: 1,
                is_wrong: true,
                rule: Some(rule.name().to_owned()),
                examples: Vec::new(),
            };
            let mut broken = BTreeMap::new();
            note_broken(&mut broken, &[Feature::Event(0)], Some(Broken { rule, error }));
            !broken.is_empty()
        };
        assert!(hidden(Rule::Msgpack) && hidden(Rule::FrameLength));
        assert!(!hidden(Rule::MessageLimit) && !hidden(Rule::HttpLimit));
        let missing = [Rule::AckMissing, Rule::EventLost, Rule::UpgradeLoss];
        assert!(!missing.into_iter().any(hidden), "a server without the event shows the same");
    }
}
