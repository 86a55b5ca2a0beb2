//! The suite against one server: which cases, with how much patience, and everything that was found.
//!
//! `conform` examines servers with it, and `compare` those whose figures it compares.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime};

use super::host::{Host, Start};
use super::look::Features;
use super::play::{self, MOST_WAITING, Suite, blank};
use super::pulse::Pulse;
use crate::cli::play::Stopped;
use crate::cli::progress::{Mode, Progress};
use crate::cli::server::Named;
use crate::cli::{bundled, interrupt, limits, machine, select as files};
use crate::conformance::result::{SCHEMA_VERSION, SuiteResult, Summary, TimingsResult};
use crate::conformance::{Case, CaseResult, Variant, counts};
use crate::document::{Source, render};
use crate::measure::format;
use crate::report::rfc3339;
use crate::scenario::{Need, Surroundings, Timings};
use crate::server::{NotReady, Target};
use crate::verdict::Status;

/// The usual patience with a case.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many cases are usually played at a time.
pub(super) const JOBS: u16 = 8;

/// What the reference server is started with: the timings of the official suites. Not read from its handshake, which a
/// fault may have spoilt.
const BUNDLED: Timings = Timings {
    interval: Duration::from_millis(300),
    timeout: Duration::from_millis(200),
    max_payload: 1_000_000,
    connect_timeout: Duration::from_secs(1),
    upgrade_timeout: Duration::from_secs(1),
    recovery: Duration::from_secs(2),
};

/// Heartbeats in which a busy machine now and then misses one: interval and timeout together.
const HASTY: Duration = Duration::from_secs(2);

/// Cases about the longest messages are left out where these are longer: they would move gigabytes.
const LARGEST_PAYLOAD: u64 = 16 << 20;

/// A case before it is read: its id, its text, and what it may take from outside.
pub(super) type Unread = (String, Source, Surroundings);

/// How cases are played.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Manner {
    /// Cases that take longer are skipped.
    pub(in crate::cli) patience: Duration,
    /// How many are played at a time, those that mostly wait not counted.
    pub(in crate::cli) jobs: u16,
    /// The seed of all chance.
    pub(in crate::cli) seed: u64,
    /// How it is watched.
    pub(in crate::cli) mode: Mode,
}

impl Manner {
    /// The usual one.
    pub(in crate::cli) fn usual(seed: u64, mode: Mode) -> Manner {
        Manner { patience: PATIENCE, jobs: JOBS, seed, mode }
    }
}

/// Cases, and how they are played.
pub(in crate::cli) struct Examination<'a> {
    /// Where the cases stand; none for the bundled ones.
    folder: Option<&'a Path>,
    unread: Vec<Unread>,
    /// The labels of the variants that are played.
    chosen: BTreeSet<String>,
    manner: Manner,
}

impl<'a> Examination<'a> {
    /// Of these cases the variants with these labels.
    pub(super) fn new(
        folder: Option<&'a Path>,
        mut unread: Vec<Unread>,
        chosen: &[Variant<'_>],
        manner: Manner,
    ) -> Examination<'a> {
        let ids: BTreeSet<&str> = chosen.iter().map(|variant| &*variant.case.id).collect();
        unread.retain(|(id, ..)| ids.contains(&**id));
        Examination { folder, unread, chosen: chosen.iter().map(Variant::label).collect(), manner }
    }

    /// The whole bundled suite.
    ///
    /// # Errors
    /// What is wrong with a case.
    pub(in crate::cli) fn bundled(manner: Manner) -> Result<Examination<'static>, Stopped> {
        let unread = unread(None).map_err(Stopped::wrong)?;
        let cases = read(&unread, Clone::clone)?;
        let variants: Vec<Variant<'_>> = cases.iter().flat_map(Case::variants).collect();
        Ok(Examination::new(None, unread, &variants, manner))
    }

    /// How many variants of cases there are.
    pub(in crate::cli) fn size(&self) -> usize {
        self.chosen.len()
    }

    /// Plays the suite against one server. What is missing in the result was not played, because it was interrupted.
    ///
    /// # Errors
    /// Why nothing could be played.
    pub(in crate::cli) fn examine(
        &self,
        named: &Named<'_>,
        stop: &Arc<AtomicBool>,
    ) -> Result<SuiteResult, Stopped> {
        let Manner { patience, jobs, seed, mode } = self.manner;
        let jobs = usize::from(jobs);
        let (started, begun) = (SystemTime::now(), Instant::now());
        let server = &named.server;
        let timings_of_fixture = || vec!["--fixture-timings".to_owned()];
        let target = server.with(timings_of_fixture());
        let is_bundled = matches!(target, Target::Bundled { .. });
        let host = Host::start(server, target, stop).map_err(not_there)?;
        let timings = match is_bundled {
            true => BUNDLED,
            false => host.with(|running| server.timings(running.found())),
        };
        let bounded = Timings { max_payload: timings.max_payload.min(LARGEST_PAYLOAD), ..timings };
        let cases = read(&self.unread, |surroundings| surroundings.with(bounded))?;
        let is_chosen = |variant: &Variant<'_>| self.chosen.contains(&variant.label());
        let variants: Vec<Variant<'_>> = cases.iter().flat_map(Case::variants).filter(is_chosen).collect();
        let wants_recovery =
            variants.iter().any(|variant| variant.case.scenario.needs.contains(&Need::Recovery));
        let recovering = match is_bundled && wants_recovery {
            true => {
                let arguments =
                    [timings_of_fixture(), vec![format!("--recovery={}s", BUNDLED.recovery.as_secs())]]
                        .concat();
                Some(Host::start(server, server.with(arguments), stop).map_err(not_there)?)
            }
            false => None,
        };
        let features = match is_bundled {
            true => Features::granted(),
            false => Features::of(server, &host, jobs, stop).map_err(unreachable)?,
        };

        let (folder, manner) = (self.folder, self.manner);
        let command = |variant: Variant<'_>| again(folder, manner, named, variant);
        let mut results = Vec::new();
        let mut chosen = Vec::new();
        for (index, variant) in variants.iter().enumerate() {
            let why = features
                .missing(variant.uses())
                .or_else(|| too_large(*variant, timings))
                .or_else(|| too_long(*variant, patience));
            match why {
                Some(reason) => {
                    results.push((index, CaseResult { reason, ..blank(*variant, command(*variant)) }));
                }
                None => chosen.push(index),
            }
        }
        make_room(&variants, &chosen, jobs)?;
        let pulse = Pulse::new();
        let suite = Suite {
            server,
            host: &host,
            recovering: recovering.as_ref(),
            seed,
            jobs,
            stop,
            pulse: &pulse,
            is_hasty: !is_bundled && timings.interval + timings.timeout <= HASTY,
            command: &command,
        };
        let progress = Progress::new(mode);
        let mut so_far = Vec::new();
        let mut last = String::new();
        let all = chosen.len();
        results.extend(suite.play(&variants, &chosen, &mut |result| {
            if let Some(result) = result {
                so_far.push(result.verdict);
                last = result.label();
            }
            progress.show(|| {
                let place = format!("{} s {} of {all} cases", begun.elapsed().as_secs(), so_far.len());
                [
                    place,
                    format!(
                        "{} · {}",
                        counts(&Summary::of(so_far.iter().copied())),
                        format::printable(&last)
                    ),
                ]
            });
        }));
        progress.finish();
        results.sort_by_key(|(index, _)| *index);
        let cases: Vec<CaseResult> = results.into_iter().map(|(_, result)| result).collect();
        let target = play::target(&host);
        let mut findings = host.stop();
        findings.extend(recovering.map(Host::stop).unwrap_or_default());
        let summary = Summary::of(cases.iter().map(|case| case.verdict));
        Ok(SuiteResult {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            name: named.name.clone(),
            target,
            started: rfc3339(started),
            duration_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            environment: machine::environment(None),
            timings: in_result(&timings),
            features: features.results(),
            cases,
            findings,
            summary,
            baseline: None,
            exit_code: 0,
        })
    }
}

/// The cases of a folder, or the bundled ones.
pub(super) fn unread(folder: Option<&Path>) -> Result<Vec<Unread>, String> {
    let Some(folder) = folder else {
        return Ok(bundled::all()
            .into_iter()
            .filter_map(|bundled| {
                Some((bundled.case()?.to_owned(), bundled.source(), Surroundings::without_files()))
            })
            .collect());
    };
    let mut unread = Vec::new();
    for file in files::files_in(folder)? {
        let (source, surroundings) = files::source(&file)?;
        let id = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
        unread.push((id.to_string_lossy().into_owned(), source, surroundings));
    }
    Ok(unread)
}

/// Reads all cases.
pub(super) fn read(
    unread: &[Unread],
    with: impl Fn(&Surroundings) -> Surroundings,
) -> Result<Vec<Case>, Stopped> {
    let (mut cases, mut wrong) = (Vec::new(), Vec::new());
    for (id, source, surroundings) in unread {
        match Case::read(id.clone(), source.clone(), &with(surroundings)) {
            Ok(case) => cases.push(case),
            Err(mistake) => wrong.push(render(&mistake.0, &mistake.1)),
        }
    }
    if wrong.is_empty() { Ok(cases) } else { Err(Stopped::wrong(wrong.join("\n"))) }
}

fn not_there(why: Start) -> Stopped {
    match why {
        Start::NotReady(NotReady::Cancelled) => {
            Stopped { code: interrupt::EXIT_CODE, ..Stopped::wrong("interrupted before the server answered") }
        }
        Start::NotReady(why) => unreachable(why),
        Start::Wrong(why) => Stopped::error(why),
    }
}

fn unreachable(why: impl std::fmt::Display) -> Stopped {
    Stopped { code: Status::Unreachable.exit_code(), ..Stopped::error(why) }
}

/// The command that plays a variant alone.
fn again(folder: Option<&Path>, manner: Manner, named: &Named<'_>, variant: Variant<'_>) -> String {
    let mut words = ["sockrates", "conform", "--only"].map(str::to_owned).to_vec();
    words.push(variant.label());
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(folder) = folder {
        flag("--cases", folder.display().to_string());
    }
    if variant.case.scenario.takes > PATIENCE {
        flag("--patience", format!("{}s", manner.patience.as_secs()));
    }
    if manner.seed != 1 {
        flag("--seed", manner.seed.to_string());
    }
    words.extend(named.flags.iter().cloned());
    // A word with a NUL cannot come from a command line.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

/// Why a case is not played that is about longer messages than anybody wants to move.
fn too_large(variant: Variant<'_>, timings: Timings) -> Option<String> {
    let concerned = variant.case.source.text.contains("server.max_payload");
    (concerned && timings.max_payload > LARGEST_PAYLOAD).then(|| {
        format!(
            "is about messages as long as this server takes, {} MB, and would move many of them",
            timings.max_payload / 1_000_000
        )
    })
}

/// Why a case is not played that takes longer than the user wants to wait.
fn too_long(variant: Variant<'_>, patience: Duration) -> Option<String> {
    let takes = variant.case.scenario.takes;
    (takes > patience).then(|| {
        let seconds = takes.as_secs_f64().ceil() as u64;
        let enough = if seconds < 60 { format!("{seconds}s") } else { format!("{}m", seconds.div_ceil(60)) };
        format!(
            "takes about {} with this server's timings: give --patience {enough}",
            format::duration(takes)
        )
    })
}

/// Raises the limit of open files as far as those cases may need that are played at a time.
fn make_room(variants: &[Variant<'_>], chosen: &[usize], jobs: usize) -> Result<(), Stopped> {
    /// A readiness queue, what wakes it, and some air.
    const EACH: u64 = 4;
    let files = |index: &usize| {
        let Variant { case, transport } = variants[*index];
        limits::files(&case.scenario, transport.unwrap_or_default()) + EACH
    };
    let mut files: Vec<u64> = chosen.iter().map(files).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    let needed = files.iter().take(jobs + MOST_WAITING).sum::<u64>() + 64;
    limits::raise(needed).map_err(|hard| Stopped {
        code: Status::Invalid.exit_code(),
        ..Stopped::error(format!(
            "the cases need {needed} open files, and this process may have {hard}: raise the hard limit \
             (`ulimit -Hn`), or give fewer --jobs"
        ))
    })
}

fn in_result(timings: &Timings) -> TimingsResult {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    TimingsResult {
        ping_interval_us: micros(timings.interval),
        ping_timeout_us: micros(timings.timeout),
        connect_timeout_us: micros(timings.connect_timeout),
        upgrade_timeout_us: micros(timings.upgrade_timeout),
        recovery_us: micros(timings.recovery),
        max_payload: timings.max_payload,
    }
}
