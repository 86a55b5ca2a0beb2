//! `sockrates run`: plays scenarios against a server, judges and reports.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sha1::{Digest, Sha1};

use super::progress::{Mode, Progress};
use super::select::Selected;
use super::server::{Server, ServerArgs};
use super::{WRONG, complain, duration, interrupt, limits, look_of_stdout, machine, put, say, select};
use crate::document::render;
use crate::driver::Driver;
use crate::engine::{self, Beat, Ending, Orders, Ran};
use crate::measure::{Gauges, Story, Tally, Window};
use crate::plan::{Circumstances, Plan};
use crate::report::result::{ScenarioInfo, TargetInfo};
use crate::report::text;
use crate::report::{self, Account, Run, RunResult};
use crate::session::Transport;
use crate::target::{NotReady, Running};
use crate::verdict::{End, Status};

const EXAMPLES: &str = "\
Examples:
  sockrates run chat                                   a bundled scenario, against the reference server
  sockrates run my.yaml --url http://localhost:3000    your scenario, against a server that runs
  sockrates run rooms --server 'node server.js'        starts the server at $PORT, tests it, stops it
  sockrates run scenarios/ --json results.json         a whole folder, with the results as a file";

/// Plays scenarios against a server: a verdict, and how long everything took
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct RunArgs {
    /// Files, folders, or names of bundled scenarios
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// The seed of all chance; the same seed gives the same plan
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many threads play the clients [default: one per processor, fewer for a small cast]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Who makes the connections: we ourselves, or another client library as a second opinion (see docs/drivers.md)
    #[arg(long, value_name = "NAME", default_value = "own", value_parser = driver())]
    driver: Driver,
    /// The transport of groups that name none [default: what the scenario says, else websocket]
    #[arg(long, value_name = "NAME", value_parser = transport())]
    transport: Option<Transport>,
    /// Stop a scenario after this time, whatever is under way
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_time: Option<Duration>,
    /// Write the results to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only print a line for each scenario, and what failed
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: ServerArgs,
}

fn transport() -> impl TypedValueParser<Value = Transport> {
    PossibleValuesParser::new(Transport::ALL.map(Transport::name))
        .map(|name| Transport::ALL.into_iter().find(|one| one.name() == name).unwrap_or_default())
}

fn driver() -> impl TypedValueParser<Value = Driver> {
    PossibleValuesParser::new(Driver::ALL.map(Driver::name))
        .map(|name| Driver::ALL.into_iter().find(|driver| driver.name() == name).unwrap_or_default())
}

/// A cast of fewer clients than this is played by one thread.
const CLIENTS_A_WORKER: u32 = 50;

/// Plays every scenario in turn.
pub fn run(args: &RunArgs) -> ExitCode {
    match play_all(args) {
        Ok(code) => ExitCode::from(code),
        Err(Stopped { code, words, .. }) => {
            complain(words.trim_end());
            ExitCode::from(code)
        }
    }
}

/// Why nothing could be played.
struct Stopped {
    code: u8,
    words: String,
    /// What goes into the result file all the same.
    result: Option<Box<RunResult>>,
}

impl Stopped {
    fn wrong(words: impl Into<String>) -> Stopped {
        Stopped { code: WRONG, words: words.into(), result: None }
    }
}

fn play_all(args: &RunArgs) -> Result<u8, Stopped> {
    let selected = select::select(&args.scenarios).map_err(|wrong| Stopped::wrong(wrong.join("\n\n")))?;
    let server = args.server.check().map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    refuse(args.driver, &selected)?;
    let stop = interrupt::watch()
        .map_err(|error| Stopped::wrong(format!("error: failed to watch for Ctrl-C: {error}")))?;
    let mut results = Vec::new();
    for one in &selected {
        let (result, running) = match play(args, &server, one, &stop) {
            Ok(played) => played,
            Err(mut stopped) => {
                results.extend(stopped.result.take().map(|result| *result));
                if let Some(file) = args.json.as_ref().filter(|_| !results.is_empty()) {
                    write(file, &results)?;
                }
                return Err(stopped);
            }
        };
        show(args, &result);
        results.push(result);
        if let Some(file) = &args.json {
            write(file, &results)?;
        }
        // Last, because a server may take its time, and whoever does not want to wait for it keeps the report.
        running.stop();
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    if results.len() > 1 {
        summarise(&results);
    }
    Ok(exit_code(&results))
}

/// Refuses scenarios that the driver cannot play, before anything connects.
fn refuse(driver: Driver, selected: &[Selected]) -> Result<(), Stopped> {
    driver.ready().map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    let refused: Vec<String> = selected
        .iter()
        .filter_map(|one| Some(render(&driver.refusal(&one.scenario)?, &one.source)))
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(Stopped::wrong(refused.join("\n"))) }
}

/// The exit code of several runs: that of the gravest outcome.
fn exit_code(results: &[RunResult]) -> u8 {
    let statuses: Vec<Status> = results.iter().map(|result| result.verdict.status).collect();
    Status::gravest(&statuses).exit_code()
}

fn show(args: &RunArgs, result: &RunResult) {
    let look = look_of_stdout();
    let text = match args.quiet && result.verdict.status == Status::Passed {
        true => text::render_line(result, look),
        false => text::render(result, look),
    };
    say(text.trim_end_matches('\n'));
}

fn summarise(results: &[RunResult]) {
    let passed = results.iter().filter(|result| result.verdict.status == Status::Passed).count();
    say(&format!("{passed} of {} scenarios passed", results.len()));
}

fn write(file: &Path, results: &[RunResult]) -> Result<(), Stopped> {
    let text = report::json::to_json(results);
    put(file, "results", &text).map_err(|why| Stopped::wrong(format!("error: {why}")))
}

fn play(
    args: &RunArgs,
    server: &Server<'_>,
    selected: &Selected,
    stop: &Arc<AtomicBool>,
) -> Result<(RunResult, Running), Stopped> {
    let Selected { source, scenario, .. } = selected;
    let transport = args.transport.or(scenario.transports.first().copied()).unwrap_or_default();
    limits::prepare(scenario, transport).map_err(|why| Stopped {
        code: Status::Invalid.exit_code(),
        ..Stopped::wrong(format!("error: {why}"))
    })?;
    let target = server.target(scenario);
    let started = SystemTime::now();
    let running = match target.start(&server.starting(stop.clone())) {
        Ok(running) => running,
        Err(NotReady::Cancelled) => {
            return Err(Stopped {
                code: interrupt::EXIT_CODE,
                ..Stopped::wrong("interrupted before the server answered")
            });
        }
        Err(not_ready) => {
            let mut words = format!("error: {}", not_ready.sentence());
            for line in not_ready.tail() {
                words.push_str(&format!("\n  | {line}"));
            }
            let result = unreachable(args, server, selected, started, &not_ready);
            return Err(Stopped {
                code: Status::Unreachable.exit_code(),
                words,
                result: Some(Box::new(result)),
            });
        }
    };
    let scenario = &selected.knowing(server.timings(running.found())).map_err(Stopped::wrong)?;
    let peer = server.peer(&running).map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    let circumstances = Circumstances {
        path: running.endpoint().path.clone(),
        query: running.endpoint().query.clone().unwrap_or_default(),
        headers: server.headers(),
        transport,
        seed: args.seed,
        run: fastrand::u16(..),
        epoch: Instant::now(),
        audit: true,
    };
    let plan = Plan::new(scenario, circumstances);
    let story = plan.story(&source.name, &source.text);
    let clients: u32 = scenario.cast.iter().map(|group| group.count).sum();
    let workers = args.workers.map_or_else(|| workers_for(clients), usize::from);
    let library = server
        .origin(&peer, args.driver)
        .and_then(|origin| args.driver.start(&origin))
        .map_err(|why| Stopped::wrong(format!("error: {why}")))?;
    let orders = Orders { workers, peer, library, max_time: args.max_time, stop };
    let ran = watch(&plan, &orders, clients, args.quiet)
        .map_err(|why| Stopped::wrong(format!("error: failed to {why}")))?;
    let result = judge(args, selected, &running, &story, started, &ran);
    Ok((result, running))
}

fn workers_for(clients: u32) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    processors.min(clients.div_ceil(CLIENTS_A_WORKER) as usize).max(1)
}

/// Plays the plan and shows how it goes.
fn watch(plan: &Plan<'_>, orders: &Orders<'_>, clients: u32, quiet: bool) -> Result<Ran, String> {
    let progress = Progress::new(if quiet { Mode::Hidden } else { Mode::Auto });
    let mut window = Window::default();
    let words: Vec<String> = plan
        .acts
        .iter()
        .map(|act| {
            let groups: Vec<&str> =
                act.members.iter().map(|group| plan.parts[*group].name.as_str()).collect();
            let steps: Vec<String> = act.steps.iter().map(|numbered| numbered.step.words()).collect();
            format!("{} {}", groups.join(", "), steps.join(", then "))
        })
        .collect();
    let ran = engine::run(plan, orders, &mut |beat: Beat<'_>| {
        if let Some(interval) = beat.interval {
            window.push(beat.elapsed, interval);
        }
        let step = beat.acts.iter().map(|act| words[*act].as_str()).collect::<Vec<_>>().join("; ");
        progress.update(&window.live(Gauges {
            elapsed: beat.elapsed,
            expected: None,
            step,
            connected: beat.live,
            total: u64::from(clients),
        }));
    });
    progress.finish();
    ran
}

/// The result of a scenario that could not be played because its server is not there.
fn unreachable(
    args: &RunArgs,
    server: &Server<'_>,
    selected: &Selected,
    started: SystemTime,
    not_ready: &NotReady,
) -> RunResult {
    report::collect(Run {
        scenario: scenario_info(args, selected),
        target: server.missing(),
        started,
        duration: started.elapsed().unwrap_or_default(),
        account: Account { environment: machine::environment(None), ..Account::default() },
        story: &Story { steps: Vec::new(), cast: Vec::new() },
        tally: &Tally::new(),
        deliveries: None,
        thresholds: &[],
        completed_steps: 0,
        end: End::Unreachable(not_ready.sentence()),
        doubts: Vec::new(),
    })
}

fn scenario_info(args: &RunArgs, selected: &Selected) -> ScenarioInfo {
    let Selected { source, scenario, .. } = selected;
    ScenarioInfo {
        name: scenario.name.clone(),
        about: scenario.about.clone(),
        spec: (!scenario.spec.is_empty()).then(|| scenario.spec.join("; ")),
        file: source.name.clone(),
        driver: (args.driver != Driver::Own).then(|| args.driver.name().to_owned()),
        seed: args.seed,
        hash: hash(&source.text),
        overrides: Vec::new(),
    }
}

/// SHA-1 of a text, in hexadecimal.
fn hash(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn judge(
    args: &RunArgs,
    selected: &Selected,
    running: &Running,
    story: &Story,
    started: SystemTime,
    ran: &Ran,
) -> RunResult {
    let mut doubts = Vec::new();
    let end = match ran.ending {
        Ending::Finished => End::Finished,
        Ending::Stopped => End::Interrupted,
        Ending::OutOfTime => {
            doubts.push(
                "the longest time allowed was over before the script was: raise `--max-time`".to_owned(),
            );
            End::Finished
        }
    };
    let tally: &Tally = &ran.tally;
    report::collect(Run {
        scenario: scenario_info(args, selected),
        target: TargetInfo::of(running),
        started,
        duration: ran.duration,
        account: Account { environment: machine::environment(None), ..Account::default() },
        story,
        tally,
        deliveries: ran.findings.as_ref(),
        thresholds: &selected.scenario.thresholds,
        completed_steps: ran.completed_steps,
        end,
        doubts,
    })
}
