//! `sockrates capacity`: the highest load at which the thresholds of a scenario hold.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use super::output::OutputArgs;
use super::overrides::OverrideArgs;
use super::play::{self, PlayArgs, Playing, Stopped};
use super::select::{self, Selected};
use super::server::{Server as TestedServer, ServerArgs};
use super::{duration, interrupt, limits};
use crate::capacity::curve::{Curve, curve};
use crate::capacity::plan::{Machine, Plan, plan};
use crate::capacity::point::throughput;
use crate::capacity::search::{Above, Purpose};
use crate::capacity::{
    self, Asked, CapacityResult, Found, Grain, Next, Outcome, Point, Recovery, Search, Server, Settings,
    Step, outcome,
};
use crate::report::RunResult;
use crate::report::result::{SCHEMA_VERSION, TargetKind};
use crate::scenario::{Axis, Load, MOST_CLIENTS, Overrides, Range};
use crate::server::Running;
use crate::units;
use crate::units::Rate;
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates capacity chat --server 'node server.js'                how many clients?
  sockrates capacity my.yaml --axis rate --from 100/s --to 20000/s
  sockrates capacity my.yaml --axis rooms                          a variable of the scenario
  sockrates capacity my.yaml --plan-for 100000 --headroom 40%      how many such machines?";

/// What `--max-time` means here.
const MAX_TIME: &str = "End the search after this time; a step that is under way is finished";

/// Finds the highest load at which a scenario's thresholds hold
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, mut_arg("max_time", |arg| arg.help(MAX_TIME)))]
pub struct CapacityArgs {
    /// A scenario with thresholds: a file or the name of a bundled one
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// What is raised: clients, rate, arrivals, or a variable of the scenario [default: what the scenario says, else clients]
    #[arg(long, value_name = "AXIS", value_parser = Axis::parse)]
    axis: Option<Axis>,
    /// The first load [default: what the scenario says, else a tenth of its own]
    #[arg(long, value_name = "LOAD", value_parser = load)]
    from: Option<f64>,
    /// The highest load [default: what the scenario says, else a hundred times its own]
    #[arg(long, value_name = "LOAD", value_parser = load)]
    to: Option<f64>,
    /// How far the answer may be off
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    precision: f64,
    /// How often both ends are played again, each time on a fresh server
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=99))]
    repeats: u16,
    /// In how many of them the highest load has to hold [default: more than half]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=99))]
    needed: Option<u16>,
    /// How long the server has between two steps
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    settle: Duration,
    /// How many deliveries or acknowledgements a step needs to tell anything
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    min_samples: u64,
    /// Sample the processor and memory of this process, where a server is found with --url
    #[arg(long, value_name = "PROCESS", requires = "url", conflicts_with = "server")]
    pid: Option<u32>,
    /// Tell how many such machines it takes for so many users
    #[arg(long, value_name = "USERS", value_parser = clap::value_parser!(u64).range(1..))]
    plan_for: Option<u64>,
    /// The share of each machine that the plan leaves free
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = share)]
    headroom: f64,
    /// Afterwards ask for twice as much, then for half, and see when the thresholds hold again
    #[arg(long)]
    recovery: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    play: PlayArgs,
    #[command(flatten)]
    load: OverrideArgs,
    #[command(flatten)]
    server: ServerArgs,
}

fn load(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix("/s").unwrap_or(text).trim().parse::<f64>();
    match number {
        Ok(number) if number > 0.0 && number <= 1e9 => Ok(number),
        _ => Err("expected a number like 500 or 500/s".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match units::share_from(text) {
        Ok(share) if share.0 < 1.0 => Ok(share.0),
        Ok(_) => Err("expected less than the whole".to_owned()),
        Err(mistake) => Err(mistake.to_string()),
    }
}

/// The least precision that a search can have, so that it ends.
const FINEST: f64 = 0.002;
/// Runs after the overload in which the thresholds may hold again.
const PATIENCE: u32 = 10;

/// How long the end of a process may take to be known after its connections broke.
const LAST_BREATH: Duration = Duration::from_millis(300);

/// Searches.
pub fn capacity(args: &CapacityArgs) -> ExitCode {
    play::exit(search(args))
}

fn search(args: &CapacityArgs) -> Result<u8, Stopped> {
    args.output.check(None)?;
    let base = args.load.overrides().map_err(Stopped::error)?;
    let mut selected = select::select(std::slice::from_ref(&args.scenario), &base)
        .map_err(|wrong| Stopped::wrong(wrong.join("\n\n")))?;
    let selected = match (selected.pop(), selected.len()) {
        (Some(one), 0) => one,
        (_, more) => {
            return Err(Stopped::error(format!("{} has {} scenarios: name one", args.scenario, more + 1)));
        }
    };
    if selected.scenario.thresholds.is_empty() {
        return Err(Stopped::error(format!(
            "{} has no thresholds, so no load could break it\nhelp: write some: `thresholds: [delivery p99 < 250 ms]`",
            selected.source.name
        )));
    }
    let server = args.server.check().map_err(Stopped::error)?;
    let axis = args.axis.clone().or(selected.scenario.capacity.axis.clone()).unwrap_or_default();
    let settings = settings(args, &axis, &selected)?;
    let stop =
        interrupt::watch().map_err(|error| Stopped::error(format!("failed to watch for Ctrl-C: {error}")))?;
    let mut hunt = Hunt {
        args,
        axis,
        play: PlayArgs { max_time: None, ..args.play.clone() },
        base,
        selected: &selected,
        server: &server,
        stop,
        began: Instant::now(),
        running: None,
        dead: None,
        sample: None,
        points: Vec::new(),
        notes: Vec::new(),
    };
    // What the axis cannot be is told before anything is started.
    hunt.loaded(settings.from).map_err(|Stopped { words, .. }| {
        let (words, axis) = (words.trim_end(), &hunt.axis);
        Stopped::wrong(format!(
            "{words}\nhelp: the axis `{axis}` comes to that; an axis is clients, rate, arrivals or a common variable"
        ))
    })?;
    let found = hunt.search(settings)?;
    let recovery = match &found {
        Some(found) if args.recovery => hunt.recover(found)?,
        _ => None,
    };
    if let Some(running) = hunt.running.take() {
        running.stop();
    }
    let Some(result) = hunt.result(found, recovery) else {
        return Ok(interrupt::EXIT_CODE);
    };
    args.output.finish(&result.to_json(), &capacity::report(&result), None)?;
    Ok(exit_code(&result, hunt.stop.load(Ordering::Relaxed)))
}

fn exit_code(result: &CapacityResult, is_stopped: bool) -> u8 {
    match &result.found {
        _ if is_stopped => interrupt::EXIT_CODE,
        None => Status::Invalid.exit_code(),
        Some(Found { held, above, .. }) => match (above, held) {
            (Above::Broke { .. } | Above::Range { .. }, Some(_)) => Status::Passed.exit_code(),
            (Above::Broke { .. } | Above::Died { .. }, _) => Status::Failed.exit_code(),
            _ => Status::Invalid.exit_code(),
        },
    }
}

/// What the scenario says about loads, if it is about this axis.
fn range(axis: &Axis, selected: &Selected) -> Range {
    let said = &selected.scenario.capacity;
    if said.axis.clone().unwrap_or_default() == *axis { said.clone() } else { Range::default() }
}

/// Between which loads to search.
fn settings(args: &CapacityArgs, axis: &Axis, selected: &Selected) -> Result<Settings, Stopped> {
    let own = Load::of(&selected.scenario);
    let said = range(axis, selected);
    // A group keeps one client at least.
    let least = selected.scenario.groups.len() as f64;
    let (own, least) = match axis {
        Axis::Clients => (f64::from(own.clients), least),
        Axis::Rate => (own.rounds, 0.0),
        Axis::Arrivals => (own.arrivals, 0.0),
        Axis::Variable(_) => (1.0, 1.0),
    };
    let whole = |load: f64| if axis.is_counted() { load.round() } else { load };
    let from = whole(args.from.or(said.from).unwrap_or((own / 10.0).max(least)));
    let to = whole(args.to.or(said.to).unwrap_or(match axis {
        Axis::Variable(_) => 1e6,
        Axis::Clients => (own * 100.0).min(f64::from(MOST_CLIENTS)),
        Axis::Rate | Axis::Arrivals => own * 100.0,
    }));
    // Without a rate in the scenario this is nothing, and the flag of the axis says so.
    let (from, to) = if own > 0.0 { (from, to) } else { (from.max(1.0), to.max(1.0)) };
    if from > to {
        return Err(Stopped::error(format!(
            "the first load, {}, is more than the highest, {}: change `--from` or `--to`",
            axis.words(from),
            axis.words(to)
        )));
    }
    let repeats = u32::from(args.repeats);
    let needed = args.needed.map_or(repeats / 2 + 1, u32::from);
    if needed > repeats {
        return Err(Stopped::error(format!("`--needed {needed}` is more than `--repeats {repeats}`")));
    }
    let grain = if axis.is_counted() { Grain::Whole } else { Grain::Fine };
    Ok(Settings { from, to, grain, precision: args.precision.max(FINEST), repeats, needed })
}

/// Whether connections did not come to be or broke off, so that the server may be dying.
fn is_broken(run: &RunResult) -> bool {
    let trouble = ["connect failed", "connection dropped"];
    run.counters.iter().any(|counter| counter.value > 0 && trouble.contains(&counter.name.as_str()))
}

/// A search under way.
struct Hunt<'a> {
    args: &'a CapacityArgs,
    axis: Axis,
    play: PlayArgs,
    base: Overrides,
    selected: &'a Selected,
    server: &'a TestedServer<'a>,
    stop: Arc<AtomicBool>,
    began: Instant,
    running: Option<Running>,
    /// How the server ended that has not been started again yet.
    dead: Option<String>,
    /// One of the runs, for what they have in common.
    sample: Option<RunResult>,
    points: Vec<Point>,
    notes: Vec<String>,
}

impl Hunt<'_> {
    /// Plays until the answer is found. None if it was stopped before.
    fn search(&mut self, settings: Settings) -> Result<Option<Found>, Stopped> {
        let mut search = Search::new(settings);
        loop {
            match search.ask() {
                Next::Over(found) => return Ok(Some(found)),
                Next::Play(step) => {
                    if self.args.play.max_time.is_some_and(|most| self.began.elapsed() > most) {
                        self.notes
                            .push("the longest time allowed was over before the answer was found".to_owned());
                        return Ok(None);
                    }
                    let Some(outcome) = self.play(step)? else { return Ok(None) };
                    search.tell(outcome);
                    self.args.output.keep(|| Some(self.result(None, None)?.to_json()))?;
                    self.settle();
                }
            }
        }
    }

    /// The scenario at this load.
    fn loaded(&self, load: f64) -> Result<Selected, Stopped> {
        let rate = Rate { per_second: load };
        let mut overrides = self.base.clone();
        match &self.axis {
            Axis::Clients => overrides.clients = Some(load as u32),
            Axis::Rate => overrides.rate = Some(rate),
            Axis::Arrivals => overrides.arrive = Some(rate),
            Axis::Variable(name) => {
                overrides.vars.retain(|(known, _)| known != name);
                overrides.vars.push((name.clone(), load.to_string()));
            }
        }
        self.selected.with(overrides).map_err(Stopped::wrong)
    }

    /// Plays a step. None if the user has had enough.
    fn play(&mut self, step: Step) -> Result<Option<Outcome>, Stopped> {
        let words = self.axis.words(step.load);
        let selected = match self.loaded(step.load) {
            Ok(selected) => selected,
            // Lower loads could be read: what was found is not to be lost.
            Err(stopped) => return Ok(Some(self.tell(&words, Outcome::Limited(stopped.line())))),
        };
        let (play, stop) = (self.play.clone(), self.stop.clone());
        let playing = Playing {
            args: &play,
            server: self.server,
            selected: &selected,
            mode: self.args.output.mode(),
            stop: &stop,
            keep: None,
        };
        if let Err(why) = limits::prepare(&selected.scenario, playing.transport(), self.server.sources()) {
            return Ok(Some(self.tell(&words, Outcome::Limited(why))));
        }
        let is_ours = self.server.missing().kind != TargetKind::Url;
        let mut running = match self.running.take() {
            Some(running) if step.server == Server::Same || !is_ours => running,
            old => {
                if let Some(old) = old {
                    old.stop();
                }
                match playing.start() {
                    Ok(running) => {
                        self.notes
                            .extend(self.dead.take().map(|dead| format!("{dead} and was started again")));
                        running
                    }
                    Err(stopped) if self.sample.is_none() || stopped.code == interrupt::EXIT_CODE => {
                        return Err(stopped);
                    }
                    Err(stopped) => {
                        return Ok(Some(self.tell(&words, Outcome::Died(stopped.line()))));
                    }
                }
            }
        };
        if let Some(process) = self.args.pid.filter(|process| !running.watch(*process)) {
            return Err(Stopped::error(format!(
                "there is no process {process} on this machine: change `--pid`"
            )));
        }
        let run = playing.play(&running)?;
        if self.stop.load(Ordering::Relaxed) {
            self.running = Some(running);
            return Ok(None);
        }
        let patience = if is_broken(&run) { LAST_BREATH } else { Duration::ZERO };
        let outcome = match running.ended_within(patience) {
            Some(how) => Outcome::Died(how.sentence()),
            None => {
                self.running = Some(running);
                outcome(&run, self.args.min_samples)
            }
        };
        self.points.push(Point::of(&run, step.load, step.purpose, outcome.clone()));
        self.sample = Some(run);
        Ok(Some(self.tell(&words, outcome)))
    }

    /// Tells what came of a step, and passes it on.
    fn tell(&mut self, load: &str, outcome: Outcome) -> Outcome {
        let words = match &outcome {
            Outcome::Held => "held".to_owned(),
            Outcome::Broke(why) => format!("broke: {why}"),
            Outcome::Limited(why) => format!("we did not keep up: {why}"),
            Outcome::Unclear(why) => format!("not clear: {why}"),
            Outcome::Died(how) => {
                self.notes.extend(self.dead.replace(format!("at {load} the server ended ({how})")));
                format!("the server ended: {how}")
            }
        };
        self.args.output.show(&format!("{load}: {words}"));
        outcome
    }

    /// Gives the server its time between two steps.
    fn settle(&self) {
        const GLANCE: Duration = Duration::from_millis(50);
        let until = Instant::now() + self.args.settle;
        while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
            thread::sleep(GLANCE.min(self.args.settle));
        }
    }

    /// Asks for twice as much as held, then for half, again and again until the thresholds hold.
    fn recover(&mut self, found: &Found) -> Result<Option<Recovery>, Stopped> {
        let Some(held) = found.held else { return Ok(None) };
        let whole = |load: f64| if self.axis.is_counted() { load.round().max(1.0) } else { load };
        let (overload, load) = (whole(held * 2.0), whole(held / 2.0));
        let step = |load| Step { load, purpose: Purpose::Ramp, server: Server::Same };
        let points = self.points.len();
        let Some(_) = self.play(step(overload))? else { return Ok(None) };
        let ended = Instant::now();
        let mut recovery = Recovery { overload, load, broke: 0, after_s: None };
        while recovery.broke < PATIENCE {
            let after = ended.elapsed();
            let Some(outcome) = self.play(step(load))? else { return Ok(None) };
            if outcome == Outcome::Held {
                recovery.after_s = Some(after.as_secs_f64());
                break;
            }
            recovery.broke += 1;
        }
        // They are no part of the curve: what came before is in them.
        self.points.truncate(points);
        Ok(Some(recovery))
    }

    fn result(&self, found: Option<Found>, recovery: Option<Recovery>) -> Option<CapacityResult> {
        let sample = self.sample.as_ref()?;
        let of_clients = self.axis.is_counted();
        let held = found.as_ref().and_then(|found| found.held);
        let curve = curve(&self.points, held, of_clients, self.play.seed);
        let mut notes: Vec<String> = self.notes.iter().chain(&self.dead).cloned().collect();
        if self.server.missing().kind == TargetKind::Url {
            let cost = match self.args.pid {
                Some(_) => "",
                None => ", and its processor and memory are not known: name its process with `--pid`",
            };
            notes.push(format!("the server was found running, so it was never a fresh one{cost}"));
        }
        Some(CapacityResult {
            schema_version: SCHEMA_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: sample.scenario.clone(),
            target: sample.target.clone(),
            environment: sample.environment.clone(),
            started: sample.started.clone(),
            duration_s: self.began.elapsed().as_secs_f64(),
            axis: self.axis.clone(),
            precision: self.args.precision,
            metric: throughput(sample).map(|metric| metric.name.clone()),
            thresholds: Asked::of(sample),
            plan: held.and_then(|held| self.plan(held, &curve, sample)),
            found,
            points: self.points.clone(),
            curve,
            recovery,
            notes,
        })
    }

    /// How many machines it takes, where that was asked and can be told.
    fn plan(&self, held: f64, curve: &Curve, sample: &RunResult) -> Option<Plan> {
        let users = self.args.plan_for?;
        let own = Load::of(&self.selected.scenario);
        let of_rate = |rate: f64| f64::from(own.clients) * held / rate;
        let machine = Machine {
            users: match self.axis {
                Axis::Clients => held,
                Axis::Rate => of_rate(own.rounds),
                Axis::Arrivals | Axis::Variable(_) => return None,
            },
            processors: curve
                .processors_a_client
                .filter(|_| self.axis == Axis::Clients)
                .map(|each| (f64::from(sample.environment.cpus), each)),
            memory: (sample.environment.memory)
                .zip(curve.memory_a_client)
                .map(|(all, each)| (all as f64 - curve.memory_without.unwrap_or_default(), each)),
        };
        plan(machine, users, self.args.headroom)
    }
}
