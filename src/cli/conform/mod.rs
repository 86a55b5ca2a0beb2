//! `sockrates conform`: plays the conformance suite against servers and gives a verdict for each case.

mod host;
mod look;
mod play;
mod pulse;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;

use super::formats::{DocumentArgs, SuiteForms, When};
use super::progress::{Mode, Progress};
use super::server::{Named, ServerArgs};
use super::{
    WRONG, bundled, complain, duration, github, interrupt, limits, look_of_stdout, machine, put, say,
    select as files,
};
use crate::conformance::baseline::Baseline;
use crate::conformance::markdown::{annotations, to_markdown};
use crate::conformance::result::{SCHEMA_VERSION, SuiteResult, Summary, TimingsResult};
use crate::conformance::select::{Choice, select};
use crate::conformance::verdict::counts_against;
use crate::conformance::{Case, CaseResult, Variant, matrix, text};
use crate::document::{Source, render};
use crate::measure::human;
use crate::report::rfc3339;
use crate::report::text::Detail;
use crate::scenario::{Need, Surroundings, Timings};
use crate::target::Target;
use crate::verdict::Status;
use host::{Host, Start};
use look::Features;
use play::{MOST_WAITING, Suite, blank};
use pulse::Pulse;

const EXAMPLES: &str = "\
Examples:
  sockrates conform                                      the reference server
  sockrates conform --url http://localhost:3000          a server that runs
  sockrates conform --server 'node server.js'            starts the server at $PORT, tests it, stops it
  sockrates conform --only 'upgrade/*,clause:EIO-HS-*'   some of the cases
  sockrates conform --baseline known.yaml --junit r.xml  in CI: only what is new fails
  sockrates conform --server node='node server.js' --url rust=http://localhost:3000
                                                         two servers beside each other
  sockrates conform --fault ack-twice                    the reference server, broken on purpose";

/// The usual patience with a case.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// Plays the conformance suite: a verdict for each rule of the protocol
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ConformArgs {
    /// Play only these: globs over ids, level:must, needs:recovery, clause:EIO-HS-*, transport:polling
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these out: the same words
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Play the cases in this folder instead of the bundled ones
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Let warnings fail the suite
    #[arg(long)]
    strict: bool,
    /// Skip cases that take longer than this with the server's timings
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    patience: Duration,
    /// How many cases are played at a time, those that mostly wait not counted
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// The seed of all chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Fail only on what this file does not list, and on what it lists and passes by now
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write such a file, with all that does not pass
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Write the results to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only print what failed, and the summary
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print a line for every case
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Plays the suite against each server in turn.
pub fn conform(args: &ConformArgs) -> ExitCode {
    match play_all(args) {
        Ok(code) => ExitCode::from(code),
        Err(Stopped { code, words }) => {
            complain(words.trim_end());
            ExitCode::from(code)
        }
    }
}

/// Why nothing could be played.
struct Stopped {
    code: u8,
    words: String,
}

impl Stopped {
    fn wrong(words: impl Into<String>) -> Stopped {
        Stopped { code: WRONG, words: words.into() }
    }

    fn error(why: impl std::fmt::Display) -> Stopped {
        Stopped::wrong(format!("error: {why}"))
    }
}

/// A case before it is read: its id, its text, and what it may take from outside.
type Unread = (String, Source, Surroundings);

fn play_all(args: &ConformArgs) -> Result<u8, Stopped> {
    let mut unread = unread(args.cases.as_deref()).map_err(Stopped::wrong)?;
    // Before anything is started: who chooses wrongly should not have to wait.
    let cases = read(&unread, Clone::clone)?;
    let chosen: BTreeSet<String> = choose(args, &cases)?.iter().map(Variant::label).collect();
    let is_chosen = |case: &Case| case.variants().any(|variant| chosen.contains(&variant.label()));
    let ids: BTreeSet<&str> = cases.iter().filter(|case| is_chosen(case)).map(|case| &*case.id).collect();
    unread.retain(|(id, ..)| ids.contains(&**id));
    let known = Known::read(args, &cases)?;
    args.forms().takes_stdout().map_err(Stopped::error)?;
    let servers = args.server.check_each().map_err(Stopped::error)?;
    if servers.len() > 1 && (args.baseline.is_some() || args.write_baseline.is_some()) {
        return Err(Stopped::error("a baseline is about one server: give one, or leave the baseline out"));
    }
    let stop =
        interrupt::watch().map_err(|error| Stopped::error(format!("failed to watch for Ctrl-C: {error}")))?;
    let mut suites: Vec<SuiteResult> = Vec::new();
    let mut statuses = Vec::new();
    for named in &servers {
        if servers.len() > 1 {
            args.tell(&format!(
                "{}{}:\n",
                if statuses.is_empty() { "" } else { "\n" },
                human::printable(&named.name)
            ));
        }
        let mut suite = match examine(args, named, &unread, &chosen, &stop) {
            Ok(suite) => suite,
            // The others are there all the same.
            Err(why) if why.code == Status::Unreachable.exit_code() && servers.len() > 1 => {
                complain(why.words.trim_end());
                statuses.push(Status::Unreachable);
                continue;
            }
            Err(why) => return Err(why),
        };
        known.compare(args, &mut suite)?;
        let status = status(args, &suite, stop.load(Ordering::Relaxed));
        suite.exit_code = status.exit_code();
        statuses.push(status);
        args.tell(text::render(&suite, look_of_stdout(), detail(args)).trim_end());
        suites.push(suite);
        args.forms().write(&suites, When::SoFar).map_err(Stopped::error)?;
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if suites.len() > 1 {
        args.tell(&format!("\n{}", matrix::render(&suites, look_of_stdout(), detail(args)).trim_end()));
    }
    args.forms().write(&suites, When::AtTheEnd).map_err(Stopped::error)?;
    github::annotate(|| annotations(&suites, args.strict));
    github::summarise(|| to_markdown(&suites, args.strict));
    Ok(Status::gravest(&statuses).exit_code())
}

fn detail(args: &ConformArgs) -> Detail {
    match (args.quiet, args.verbose) {
        (true, _) => Detail::Little,
        (_, true) => Detail::Everything,
        _ => Detail::Usual,
    }
}

impl ConformArgs {
    /// The forms of the results, and where they go.
    fn forms(&self) -> SuiteForms<'_> {
        SuiteForms { json: self.json.as_deref(), documents: &self.documents, strict: self.strict }
    }

    /// Prints for people: on standard error where standard output is taken by a form of the results.
    fn tell(&self, text: &str) {
        match self.forms().takes_stdout() {
            Ok(false) => say(text),
            _ => complain(text),
        }
    }
}

/// The baselines that the command line names.
#[derive(Default)]
struct Known {
    baseline: Option<Baseline>,
    /// What stands in the file that is going to be written.
    before: Option<Baseline>,
}

impl Known {
    fn read(args: &ConformArgs, cases: &[Case]) -> Result<Known, Stopped> {
        let read = |file: &PathBuf| {
            let source = Source::read(file)
                .map_err(|mistake| Stopped::wrong(render(&mistake, &Source::named(file))))?;
            Baseline::read(&source, cases).map_err(|mistake| Stopped::wrong(render(&mistake, &source)))
        };
        Ok(Known {
            baseline: args.baseline.as_ref().map(read).transpose()?,
            before: args.write_baseline.as_ref().filter(|file| file.exists()).map(read).transpose()?,
        })
    }

    /// Compares with what is known, or with what is known from now on.
    fn compare(&self, args: &ConformArgs, suite: &mut SuiteResult) -> Result<(), Stopped> {
        let name = |file: &Path| file.display().to_string();
        let before = self.baseline.as_ref().or(self.before.as_ref());
        if let Some(file) = &args.write_baseline {
            let written = Baseline::of(&suite.name, before, &suite.cases);
            put(file, "baseline", &written.text()).map_err(Stopped::error)?;
            suite.baseline = Some(written.compare(name(file), &suite.cases));
        } else if let (Some(baseline), Some(file)) = (&self.baseline, &args.baseline) {
            suite.baseline = Some(baseline.compare(name(file), &suite.cases));
        }
        Ok(())
    }
}

/// The cases of a folder, or the bundled ones.
fn unread(folder: Option<&Path>) -> Result<Vec<Unread>, String> {
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
fn read(unread: &[Unread], with: impl Fn(&Surroundings) -> Surroundings) -> Result<Vec<Case>, Stopped> {
    let (mut cases, mut wrong) = (Vec::new(), Vec::new());
    for (id, source, surroundings) in unread {
        match Case::read(id.clone(), source.clone(), &with(surroundings)) {
            Ok(case) => cases.push(case),
            Err(mistake) => wrong.push(render(&mistake.0, &mistake.1)),
        }
    }
    if wrong.is_empty() { Ok(cases) } else { Err(Stopped::wrong(wrong.join("\n"))) }
}

/// What the command line chooses.
fn choose<'c>(args: &ConformArgs, cases: &'c [Case]) -> Result<Vec<Variant<'c>>, Stopped> {
    let read = |words: &[String]| -> Result<Vec<Choice>, Stopped> {
        words.iter().map(|word| Choice::read(word).map_err(Stopped::error)).collect()
    };
    select(cases, &read(&args.only)?, &read(&args.exclude)?).map_err(|wrong| {
        Stopped::wrong(wrong.iter().map(|why| format!("error: {why}")).collect::<Vec<_>>().join("\n"))
    })
}

/// Plays the suite against one server: of these cases the variants with these labels.
fn examine(
    args: &ConformArgs,
    named: &Named<'_>,
    unread: &[Unread],
    labels: &BTreeSet<String>,
    stop: &Arc<AtomicBool>,
) -> Result<SuiteResult, Stopped> {
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
    let cases = read(unread, |surroundings| surroundings.with(bounded))?;
    let is_chosen = |variant: &Variant<'_>| labels.contains(&variant.label());
    let variants: Vec<Variant<'_>> = cases.iter().flat_map(Case::variants).filter(is_chosen).collect();
    let wants_recovery = variants.iter().any(|variant| variant.case.scenario.needs.contains(&Need::Recovery));
    let recovering = match is_bundled && wants_recovery {
        true => {
            let arguments =
                [timings_of_fixture(), vec![format!("--recovery={}s", BUNDLED.recovery.as_secs())]].concat();
            Some(Host::start(server, server.with(arguments), stop).map_err(not_there)?)
        }
        false => None,
    };
    let features = match is_bundled {
        true => Features::granted(),
        false => Features::of(server, &host, usize::from(args.jobs), stop).map_err(|why| Stopped {
            code: Status::Unreachable.exit_code(),
            words: format!("error: {why}"),
        })?,
    };

    let command = |variant: Variant<'_>| again(args, named, variant);
    let mut results = Vec::new();
    let mut chosen = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        let why = features
            .missing(variant.uses())
            .or_else(|| too_large(*variant, timings))
            .or_else(|| too_long(*variant, args.patience));
        match why {
            Some(reason) => {
                results.push((index, CaseResult { reason, ..blank(*variant, command(*variant)) }));
            }
            None => chosen.push(index),
        }
    }
    make_room(&variants, &chosen, usize::from(args.jobs))?;
    let pulse = Pulse::new();
    let suite = Suite {
        server,
        host: &host,
        recovering: recovering.as_ref(),
        seed: args.seed,
        jobs: usize::from(args.jobs),
        stop,
        pulse: &pulse,
        is_hasty: !is_bundled && timings.interval + timings.timeout <= HASTY,
        command: &command,
    };
    let progress = Progress::new(if args.quiet { Mode::Hidden } else { Mode::Auto });
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
                    text::counts(&Summary::of(so_far.iter().copied())),
                    human::printable(&last)
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

fn status(args: &ConformArgs, suite: &SuiteResult, interrupted: bool) -> Status {
    let counts = suite.cases.iter().any(|case| counts_against(suite, case, args.strict));
    let is_stale = suite.baseline.as_ref().is_some_and(|baseline| !baseline.gone.is_empty());
    match () {
        () if interrupted => Status::Interrupted,
        () if suite.summary.blocked > 0 => Status::Unreachable,
        () if counts || is_stale || !suite.findings.is_empty() || suite.summary.judged() == 0 => {
            Status::Failed
        }
        () => Status::Passed,
    }
}

fn not_there(why: Start) -> Stopped {
    match why {
        Start::NotReady(crate::target::NotReady::Cancelled) => {
            Stopped { code: interrupt::EXIT_CODE, words: "interrupted before the server answered".to_owned() }
        }
        Start::NotReady(why) => {
            Stopped { code: Status::Unreachable.exit_code(), words: format!("error: {why}") }
        }
        Start::Wrong(why) => Stopped::error(why),
    }
}

/// The command that plays a variant alone.
fn again(args: &ConformArgs, named: &Named<'_>, variant: Variant<'_>) -> String {
    let mut words = ["sockrates", "conform", "--only"].map(str::to_owned).to_vec();
    words.push(variant.label());
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(folder) = &args.cases {
        flag("--cases", folder.display().to_string());
    }
    if variant.case.scenario.takes > PATIENCE {
        flag("--patience", format!("{}s", args.patience.as_secs()));
    }
    if args.seed != 1 {
        flag("--seed", args.seed.to_string());
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
        format!("takes about {} with this server's timings: give --patience {enough}", human::duration(takes))
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
        words: format!(
            "error: the cases need {needed} open files, and this process may have {hard}: raise the hard limit \
             (`ulimit -Hn`), or give fewer --jobs"
        ),
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
