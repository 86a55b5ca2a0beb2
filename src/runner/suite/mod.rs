//! The conformance suite against one server: which cases, how long they may take, and everything that was found.

mod baselines;
mod cases;
mod doubt;
mod features;
mod host;
mod schedule;
mod scout;
mod stall;
mod versions;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use super::server::Focus;
use super::{Error, Event, Listener, NamedServer, ServerConfig, limits, machine};
use crate::conformance::attribution::attribute;
use crate::conformance::owner;
use crate::conformance::result::{ContractResult, FindingResult, SuiteResult, Summary, TimingsResult};
use crate::conformance::{Case, CaseResult, Feature, OwnContract, Variant, Verdict, Versions};
use crate::protocol::dialect::{Parser, Version};
use crate::report::rfc3339;
use crate::scenario::{Need, Timings};
use crate::secrets::Secrets;
use crate::server::{NotReady, Target};
use crate::units::micros;
use crate::verdict::Status;
use cases::Unread;
use doubt::blank;
use features::{Features, Missing};
use host::{Death, Host, Start};
use schedule::{MOST_WAITING, MOST_WAITING_LONG, Schedule};
use stall::StallWatch;

pub(crate) use baselines::Baselines;
pub(crate) use cases::{Cases, own_contract};

/// The default of `--patience`.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many cases are usually played at a time.
pub(crate) const JOBS: u16 = 8;

/// What the reference server is started with: the timings of the official suites. Not read from its handshake, which a
/// fault may have spoilt.
fn reference_timings(version: Option<Version>) -> Timings {
    Timings {
        interval: Duration::from_millis(300),
        timeout: match version {
            None | Some(Version::V4) => Duration::from_millis(200),
            // Here the client waits for the answer to its ping, on a machine that may be busy.
            Some(Version::V3) => Duration::from_secs(1),
        },
        max_payload: 1_000_000,
        connect_timeout: Duration::from_secs(1),
        upgrade_timeout: Duration::from_secs(1),
        // As short as a client on a busy machine needs to come back: a case waits for its end.
        recovery: Duration::from_millis(1500),
    }
}

/// Heartbeats in which a busy machine now and then misses one: interval and timeout together.
const HASTY: Duration = Duration::from_secs(2);

/// Cases about the longest messages are left out where these are longer: they would move gigabytes.
const LARGEST_PAYLOAD: u64 = 16 << 20;

/// Nor are they played where these are shorter: an event would not fit.
const SMALLEST_PAYLOAD: u64 = 64;

/// How cases are run.
#[derive(Clone, Debug)]
pub(crate) struct SuiteConfig {
    /// Where the cases stand; none for the bundled ones.
    pub folder: Option<PathBuf>,
    /// Cases that take longer are skipped.
    pub patience: Duration,
    /// How many are run at a time, those that mostly wait not counted.
    pub jobs: u16,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The versions of the server that the user tells.
    pub versions: Versions,
    /// By which contract the cases are played that are written in the words of one; none for the fixture's.
    pub contract: Option<Arc<OwnContract>>,
}

impl Default for SuiteConfig {
    fn default() -> SuiteConfig {
        let versions = Versions::default();
        SuiteConfig { folder: None, patience: PATIENCE, jobs: JOBS, seed: 1, versions, contract: None }
    }
}

/// Cases, and how they are run.
pub(crate) struct Suite {
    config: SuiteConfig,
    unread: Vec<Unread>,
    /// The labels of the variants that are run.
    chosen: BTreeSet<String>,
    /// Whether some of these need several nodes, and whether some do not.
    spans: BTreeSet<bool>,
}

/// What came of a suite.
pub(crate) struct PlayedSuite {
    /// The verdicts. What is missing was not run, because it was interrupted.
    pub(crate) result: SuiteResult,
    /// How many variants were to be run: those chosen that hold in the version that the server speaks.
    pub(crate) size: usize,
}

impl Suite {
    /// Of these cases the chosen variants.
    pub(crate) fn new(config: SuiteConfig, cases: &Cases, chosen: &[Variant<'_>]) -> Suite {
        let ids: BTreeSet<&str> = chosen.iter().map(|variant| &*variant.case.id).collect();
        let unread = cases.unread.iter().filter(|(id, ..)| ids.contains(&**id)).cloned().collect();
        let spans = chosen.iter().map(|variant| variant.case.spans_nodes()).collect();
        Suite { config, unread, chosen: chosen.iter().map(Variant::label).collect(), spans }
    }

    /// Whether there is something to run against this server. One of several nodes is not looked at by cases that need them all,
    /// and all together only by these.
    pub(crate) fn concerns(&self, named: &NamedServer) -> bool {
        self.spans.iter().any(|spans_nodes| named.focus.plays(*spans_nodes))
    }

    /// The whole bundled suite.
    ///
    /// # Errors
    /// What is wrong with a case.
    pub(crate) fn bundled(config: SuiteConfig) -> Result<Suite, Error> {
        let cases = Cases::read(None)?;
        let variants: Vec<Variant<'_>> = cases.all.iter().flat_map(Case::variants).collect();
        Ok(Suite::new(config, &cases, &variants))
    }

    /// What is known of a server at whose suite the user wanted no more before it began.
    pub(crate) fn not_begun(&self, named: &NamedServer, started: SystemTime, why: &Error) -> SuiteResult {
        let mut target = named.config.missing();
        target.notes.push(why.line());
        SuiteResult {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            name: named.name.clone(),
            target,
            started: rfc3339(started),
            duration_us: micros(started.elapsed().unwrap_or_default()),
            environment: machine::environment(None),
            timings: in_result(&reference_timings(named.config.protocol)),
            versions: self.config.versions.clone(),
            features: Vec::new(),
            cases: Vec::new(),
            findings: Vec::new(),
            summary: Summary::of([]),
            contract: None,
            baseline: None,
            like: None,
            exit_code: 0,
        }
    }

    /// Runs the suite against one server.
    ///
    /// # Errors
    /// Why nothing could be run.
    pub(crate) fn run(
        &self,
        named: &NamedServer,
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<PlayedSuite, Error> {
        let SuiteConfig { patience, jobs, seed, .. } = self.config;
        let jobs = usize::from(jobs);
        let (started, begun) = (SystemTime::now(), Instant::now());
        // What a bundled case says is public, and no secret of the user's: `custom` is a word of ours as well.
        let contract = self.config.contract.as_deref();
        let secrets = match (&self.config.folder, contract) {
            (None, None) => Secrets::shown(),
            _ => named.config.secrets.clone(),
        };
        let server = &ServerConfig { secrets, ..named.config.clone() };
        let of_reference = reference_timings(server.protocol);
        let timings_of_fixture = || {
            let timeout = format!("{}ms", of_reference.timeout.as_millis());
            ["--fixture-timings", "--ping-timeout", &timeout].map(str::to_owned).to_vec()
        };
        let focus = named.focus;
        let targets = server.targets_with(&timings_of_fixture());
        let is_bundled = targets.iter().all(|(_, target)| matches!(target, Target::Bundled { .. }));
        let host = Host::start(server, focus, targets, &server.services, stop).map_err(not_there)?;
        let timings = match is_bundled {
            true => of_reference,
            false => host.with(|running| server.timings(running.found())),
        };
        let bounded =
            Timings { max_payload: timings.max_payload.clamp(SMALLEST_PAYLOAD, LARGEST_PAYLOAD), ..timings };
        let mut cases = cases::read_all(&self.unread, contract, |surroundings| surroundings.with(bounded))?;
        let version = host.with(|running| running.found().version);
        let connects = |variant: Variant<'_>| {
            self.chosen.contains(&variant.label())
                && variant.uses().iter().any(|feature| *feature == Feature::Main || feature.needs_connect())
        };
        let matters = cases.iter().flat_map(Case::ways).any(connects);
        let parser = match !matters || is_bundled || version != Version::V4 || contract.is_some() {
            true => Parser::Default,
            false => scout::parser_of(server, &host, stop),
        };
        cases.iter_mut().for_each(|case| case.speak(parser));
        let is_chosen = |variant: &Variant<'_>| {
            self.chosen.contains(&variant.label())
                && variant.case.scenario.protocols.contains(&version)
                && focus.plays(variant.case.spans_nodes())
        };
        let variants: Vec<Variant<'_>> = cases.iter().flat_map(Case::ways).filter(is_chosen).collect();
        let wants_recovery =
            variants.iter().any(|variant| variant.case.scenario.needs.contains(&Need::Recovery));
        let recovering = match is_bundled && wants_recovery {
            true => {
                let arguments = [
                    timings_of_fixture(),
                    vec![format!("--recovery={}ms", of_reference.recovery.as_millis())],
                ]
                .concat();
                let targets = server.targets_with(&arguments);
                Some(Host::start(server, focus, targets, &[], stop).map_err(not_there)?)
            }
            false => None,
        };
        // What only cases could need that take too long is not waited for.
        let is_short = |variant: &&Variant<'_>| cases::too_long(**variant, patience).is_none();
        let in_time: BTreeSet<Feature> =
            variants.iter().filter(is_short).flat_map(|variant| variant.uses()).collect();
        let wanted = variants.iter().flat_map(|variant| variant.uses());
        let wanted =
            wanted.filter(|feature| *feature != Feature::ConnectTime || in_time.contains(feature)).collect();
        let features = match is_bundled && contract.is_none() {
            true => Features::of_reference(server, &host, &wanted, jobs, stop),
            false => {
                Features::of(server, &host, &wanted, contract, parser, jobs, stop).map_err(unreachable)?
            }
        };
        if focus == Focus::All && !variants.is_empty() {
            scout::await_nodes(server, &host, contract, stop);
        }

        let software = host.with(|running| running.found().software.clone()).unwrap_or_default();
        let mut versions = Versions::of_software(&software);
        let beside = named.config.nodes[0].command.as_deref().map(versions::beside).unwrap_or_default();
        beside.iter().for_each(|(name, version)| versions.note(name, version));
        self.config.versions.iter().for_each(|(name, version)| versions.note(name, version));
        let config = &self.config;
        let command = |variant: Variant<'_>| cases::again(config, named, variant);
        let mut results = Vec::new();
        let mut chosen = Vec::new();
        for (index, variant) in variants.iter().enumerate() {
            let beyond_us = || {
                let reason = cases::unplayable_size(*variant, timings)
                    .or_else(|| cases::too_long(*variant, patience))?;
                Some(Missing { features: Vec::new(), reason, broke: None })
            };
            let unfit = variant.case.unfit.clone().map(|reason| Missing {
                features: Vec::new(),
                reason,
                broke: None,
            });
            let missing = unfit.or_else(|| features.missing(variant.uses(), &versions));
            // A case about the rule that was broken shows what the server does instead.
            let is_own = |missing: &Missing| {
                missing.broke.as_ref().is_some_and(|broken| broken.is_about(&variant.case.scenario.clause))
            };
            let silent = features.silence(*variant).cloned();
            let silent = silent.map(|broken| Missing {
                features: Vec::new(),
                reason: String::new(),
                broke: Some(broken),
            });
            match missing.or(silent).filter(|missing| !is_own(missing)).or_else(beyond_us) {
                Some(Missing { broke: Some(broken), .. }) => {
                    results.push((index, broken.blocks(blank(*variant, command(*variant)))));
                }
                Some(Missing { features: lacks, reason, .. }) => {
                    let blank = blank(*variant, command(*variant));
                    results.push((index, CaseResult { lacks, reason, ..blank }));
                }
                None => chosen.push(index),
            }
        }
        let most_waiting = raise_limits(&variants, &chosen, jobs)?;
        let stalls = StallWatch::new();
        let schedule = Schedule {
            server,
            host: &host,
            recovering: recovering.as_ref(),
            begun,
            seed,
            jobs,
            most_waiting,
            stop,
            stalls: &stalls,
            shortest: timings.interval.min(timings.connect_timeout).min(timings.upgrade_timeout),
            is_hasty: !is_bundled && timings.interval + timings.timeout <= HASTY,
            is_reference: is_bundled,
            command: &command,
        };
        let (mut verdicts, mut last) = (Vec::new(), String::new());
        let mut refused = None;
        let all = chosen.len();
        // What is broadcast to a whole namespace of an application would be heard by clients of cases about the wire.
        let (asking, others): (Vec<usize>, Vec<usize>) =
            chosen.iter().partition(|index| variants[**index].case.namespace.is_some());
        let mut tell = |result: Option<&CaseResult>| {
            if let Some(result) = result {
                verdicts.push(result.verdict);
                last = result.label();
            }
            let (elapsed, verdicts, last) = (begun.elapsed(), &verdicts, &last);
            let told = listener(Event::SuiteGoesOn { elapsed, verdicts, all, last });
            refused = refused.take().or(told.err());
        };
        for together in [others, asking] {
            results.extend(schedule.run(&variants, &together, &mut tell));
        }
        listener(Event::SuiteEnded)?;
        if let Some(error) = refused {
            return Err(error);
        }
        results.sort_by_key(|(index, _)| *index);
        let mut cases: Vec<CaseResult> = results.into_iter().map(|(_, result)| result).collect();
        let target = host.info();
        let mut deaths = host.stop();
        deaths.extend(recovering.map(Host::stop).unwrap_or_default());
        let mut findings = told(&deaths, &cases);
        let played_by = contract.map(|contract| reach(contract, &variants, &cases));
        findings.extend(contract.and_then(|contract| unserved(contract, &features, &cases)));
        let busy = stall::busy().filter(|_| !is_bundled);
        findings.extend(attribute(&mut cases).into_iter().map(|finding| remarked(finding, busy)));
        let summary = Summary::of(cases.iter().map(|case| case.verdict));
        let result = SuiteResult {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            name: named.name.clone(),
            target,
            started: rfc3339(started),
            duration_us: micros(begun.elapsed()),
            environment: machine::environment(None),
            timings: in_result(&timings),
            versions,
            features: features.results(),
            cases,
            findings,
            summary,
            contract: played_by,
            baseline: None,
            like: None,
            exit_code: 0,
        };
        Ok(PlayedSuite { result, size: variants.len() })
    }
}

/// The deaths of a server as findings: those in which the same case had its hand are one, and of those whose cause nobody
/// knows, those that look alike.
fn told(deaths: &[Death], cases: &[CaseResult]) -> Vec<FindingResult> {
    let mut findings: Vec<FindingResult> = Vec::new();
    for death in deaths {
        let is_killer = |case: &&CaseResult| case.has_ended && death.playing.contains(&case.label());
        let killer = cases.iter().find(is_killer);
        let playing = if killer.is_some() { Vec::new() } else { death.playing.clone() };
        let finding = FindingResult::death(death.sentence(), killer, playing);
        match findings.iter_mut().find(|known| known.failed == finding.failed && known.seen == finding.seen) {
            Some(known) => known.count += 1,
            None => findings.push(finding),
        }
    }
    findings
}

/// A finding about what did not come in time: says so where other programs kept this machine busy.
fn remarked(mut finding: FindingResult, busy: Option<f64>) -> FindingResult {
    let is_of_time = owner::rule(&finding.rule).is_some_and(owner::is_of_time);
    if let (Some(share), Some(example)) = (busy.filter(|_| is_of_time), &mut finding.example) {
        example.detail.push_str(&stall::remark(share));
    }
    finding
}

/// How much of the suite a contract reaches.
fn reach(contract: &OwnContract, variants: &[Variant<'_>], cases: &[CaseResult]) -> ContractResult {
    let is_written = |label: &str| {
        let is_it = |variant: &&Variant<'_>| variant.label() == label;
        let variant = variants.iter().find(is_it);
        variant.is_some_and(|variant| variant.case.scenario.needs.contains(&Need::Contract))
    };
    let written: Vec<&CaseResult> = cases.iter().filter(|case| is_written(&case.label())).collect();
    let played = written.iter().filter(|case| case.verdict != Verdict::Skip).count();
    ContractResult { file: contract.file.clone(), written: written.len() as u64, played: played as u64 }
}

/// The finding that an application does not do what its contract says, with the cases that are not played for it.
fn unserved(contract: &OwnContract, features: &Features, cases: &[CaseResult]) -> Option<FindingResult> {
    let unserved = features.unserved();
    let names: Vec<&str> = unserved.iter().map(|(verb, _)| Feature::Asked(*verb).name()).collect();
    let (_, seen) = unserved.first()?;
    let is_unserved = |lack: &String| names.contains(&lack.as_str());
    // A case that lacks something else, too, would not be played if the application did what its contract says.
    let lacks = |case: &&CaseResult| !case.lacks.is_empty() && case.lacks.iter().all(is_unserved);
    let skipped = cases.iter().filter(lacks).map(CaseResult::label).collect();
    let verbs: Vec<&str> = unserved.iter().map(|(verb, _)| verb.name()).collect();
    Some(FindingResult::unserved(&contract.file, &verbs, seen, skipped))
}

fn not_there(why: Start) -> Error {
    match why {
        Start::NotReady(why @ NotReady::Cancelled { .. }) => Error::interrupted(&why.to_string()),
        Start::NotReady(why) => unreachable(why),
        Start::Wrong(why) => Error::because(why),
    }
}

fn unreachable(why: impl std::fmt::Display) -> Error {
    Error { status: Some(Status::Unreachable), ..Error::because(why) }
}

/// Raises the limit of open files as far as those cases may need that are played at a time. How many of these may wait for a server
/// that is slow.
fn raise_limits(variants: &[Variant<'_>], chosen: &[usize], jobs: usize) -> Result<usize, Error> {
    /// A readiness queue, what wakes it, and some air.
    const EACH: u64 = 4;
    let files = |index: &usize| {
        let Variant { case, transport } = variants[*index];
        limits::files(&case.scenario, transport.unwrap_or_default()) + EACH
    };
    let mut files: Vec<u64> = chosen.iter().map(files).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let needed = |waiting: usize| files.iter().take(jobs + waiting).sum::<u64>() + 64;
    if limits::raise(needed(MOST_WAITING_LONG)).is_ok() {
        return Ok(MOST_WAITING_LONG);
    }
    let needed = needed(MOST_WAITING);
    limits::raise(needed).map(|()| MOST_WAITING).map_err(|hard| Error {
        status: Some(Status::Invalid),
        ..Error::because(format!(
            "the cases need {needed} open files, and this process may have {hard}: raise the hard limit \
             (`ulimit -Hn`), or give fewer --jobs"
        ))
    })
}

fn in_result(timings: &Timings) -> TimingsResult {
    TimingsResult {
        ping_interval_us: micros(timings.interval),
        ping_timeout_us: micros(timings.timeout),
        connect_timeout_us: micros(timings.connect_timeout),
        upgrade_timeout_us: micros(timings.upgrade_timeout),
        recovery_us: micros(timings.recovery),
        max_payload: timings.max_payload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_about_time_is_in_doubt_on_a_busy_machine_and_no_other_is() {
        let finding = |rule: &str| {
            let death = FindingResult::death("seen".to_owned(), None, Vec::new());
            FindingResult { rule: rule.to_owned(), ..death }
        };
        let told = |rule: &str, busy: Option<f64>| {
            remarked(finding(rule), busy).example.expect("there is one").detail
        };
        assert!(told("engine.ping", Some(0.976)).starts_with("seen (in doubt: other programs keep"));
        assert_eq!(told("engine.ping", None), "seen");
        assert_eq!(told("socket.event-twice", Some(0.976)), "seen");
    }
}
