//! The search for the highest load at which the thresholds of a scenario hold: runs what [`crate::capacity::search`] asks
//! for, and tells it what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::machines::MachinesConfig;
use super::once::Ended;
use super::secrets::clean;
use super::{Error, Event, Listener, RunConfig, ScenarioRun, Selected, ServerConfig};
use crate::capacity::curve::{Curve, curve};
use crate::capacity::plan::{Machine, Plan, plan};
use crate::capacity::point::throughput;
use crate::capacity::search::{Above, Purpose};
use crate::capacity::{
    Asked, CapacityResult, Found, Grain, Next, Point, Recovery, Search, Server, Settings, Step, StepOutcome,
    outcome,
};
use crate::report::RunResult;
use crate::scenario::{Axis, Load, MOST_CLIENTS, Range};
use crate::server::Nodes;
use crate::units::Rate;
use crate::units::micros;
use crate::verdict::Status;

/// The least precision that a search can have, so that it ends.
const FINEST: f64 = 0.002;

/// Runs after the overload in which the thresholds may hold again.
const PATIENCE: u32 = 10;

/// How long the end of a process may take to be known after its connections broke.
const LAST_BREATH: Duration = Duration::from_millis(300);

/// What is searched for, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchConfig {
    /// How each load is run. The longest time is that of the whole search; a run that is under way is finished.
    pub run: RunConfig,
    /// What is raised; without it, what the scenario says, else the clients.
    pub axis: Option<Axis>,
    /// The first load; without it, what the scenario says, else a tenth of its own.
    pub from: Option<f64>,
    /// The highest load; without it, what the scenario says, else a hundred times its own.
    pub to: Option<f64>,
    /// How far the answer may be off, as a share.
    pub precision: f64,
    /// How often both ends are run again, each time on a fresh server.
    pub repeats: u16,
    /// In how many of them the highest load has to hold; without it, in more than half.
    pub needed: Option<u16>,
    /// How long the server has between two runs.
    pub settle: Duration,
    /// How many deliveries or acknowledgements a run needs to be judged.
    pub min_samples: u64,
    /// For how many users machines are planned.
    pub plan_for: Option<u64>,
    /// The share of each machine that the plan leaves free.
    pub headroom: f64,
    /// Whether twice the highest load is run afterwards, and then half of it until the thresholds hold again.
    pub recovery: bool,
}

/// A search for the highest load that one server bears.
pub(super) struct LoadSearch<'a> {
    /// What is searched for.
    pub config: &'a SearchConfig,
    /// Which server bears it.
    pub server: &'a ServerConfig,
    /// What is run.
    pub selected: &'a Selected,
    /// Set when the search is to be stopped.
    pub stop: &'a Arc<AtomicBool>,
}

impl LoadSearch<'_> {
    /// Searches. None if it was stopped before anything is known.
    ///
    /// # Errors
    /// When nothing can be searched for, or no server was there.
    pub(super) fn run(&self, listener: &mut Listener<'_>) -> Result<Option<CapacityResult>, Error> {
        let LoadSearch { config, selected, .. } = *self;
        if selected.scenario.thresholds.is_empty() {
            return Err(Error::because(format!(
                "{} has no thresholds, so no load can fail\nhelp: add some: `thresholds: [delivery p99 < 250 ms]`",
                selected.source.name
            )));
        }
        let axis = config.axis.clone().or(selected.scenario.capacity.axis.clone()).unwrap_or_default();
        let said = &selected.scenario.capacity;
        let is_about_it = said.axis.clone().unwrap_or_default() == axis;
        let range = if is_about_it { said.clone() } else { Range::default() };
        let own = Load::of(&selected.scenario);
        let settings = settings(config, &axis, &range, own, selected.scenario.groups.len())?;
        // For the whole search: each load is played by the same agents.
        let started = SystemTime::now();
        let machines = MachinesConfig::start(config.run.machines.clone(), self.stop);
        let mut under_way = SearchUnderWay {
            search: self,
            axis,
            run: RunConfig { max_time: None, machines: None, ..config.run.clone() },
            began: Instant::now(),
            running: None,
            dead: None,
            sample: None,
            points: Vec::new(),
            notes: Vec::new(),
        };
        // An axis that this scenario cannot have is reported before anything is started.
        under_way.loaded(settings.from).map_err(|words| {
            let (words, axis) = (words.trim_end(), &under_way.axis);
            Error::wrong(format!(
                "{words}\nhelp: the load of the axis `{axis}` leads to this; an axis is clients, rate, arrivals or a common variable"
            ))
        })?;
        match machines {
            Ok(machines) => under_way.run.machines = machines,
            Err(error) => {
                let LoadSearch { server, selected, stop, .. } = *self;
                let run = ScenarioRun { config: &config.run, server, selected, stop };
                under_way.give_up(run.with_result(error, started, server.missing()), listener)?;
                return Ok(under_way.result(None, None));
            }
        }
        let found = under_way.search(settings, listener)?;
        let recovery = match &found {
            Some(found) if config.recovery => under_way.recover(found, listener)?,
            _ => None,
        };
        if let Some(running) = under_way.running.take() {
            running.stop();
        }
        Ok(under_way.result(found, recovery))
    }
}

/// The status of a search.
pub(super) fn status(result: &CapacityResult, is_stopped: bool) -> Status {
    match &result.found {
        _ if is_stopped => Status::Interrupted,
        None => Status::Invalid,
        Some(Found { held, above, .. }) => match (above, held) {
            (Above::Broke { .. } | Above::Range { .. }, Some(_)) => Status::Passed,
            (Above::Broke { .. } | Above::Died { .. } | Above::Gone { .. }, _) => Status::Failed,
            _ => Status::Invalid,
        },
    }
}

/// Between which loads to search. `said` is what the scenario says, `own` its own load, `groups` its number of groups.
fn settings(
    config: &SearchConfig,
    axis: &Axis,
    said: &Range,
    own: Load,
    groups: usize,
) -> Result<Settings, Error> {
    let (own, least) = match axis {
        // A group keeps one client at least.
        Axis::Clients => (f64::from(own.clients), groups as f64),
        Axis::Rate => (own.rounds, 0.0),
        Axis::Arrivals => (own.arrivals, 0.0),
        Axis::Variable(_) => (1.0, 1.0),
    };
    let whole = |load: f64| if axis.is_counted() { load.round() } else { load };
    let from = whole(config.from.or(said.from).unwrap_or((own / 10.0).max(least)));
    let to = whole(config.to.or(said.to).unwrap_or(match axis {
        Axis::Variable(_) => 1e6,
        Axis::Clients => (own * 100.0).min(f64::from(MOST_CLIENTS)),
        Axis::Rate | Axis::Arrivals => own * 100.0,
    }));
    // Without a rate in the scenario this is nothing, and the flag of the axis says so.
    let (from, to) = if own > 0.0 { (from, to) } else { (from.max(1.0), to.max(1.0)) };
    if from > to {
        return Err(Error::because(format!(
            "the first load, {}, is more than the highest, {}: change `--from` or `--to`",
            axis.words(from),
            axis.words(to)
        )));
    }
    let repeats = u32::from(config.repeats);
    let needed = config.needed.map_or(repeats / 2 + 1, u32::from);
    if needed > repeats {
        return Err(Error::because(format!("`--needed {needed}` is more than `--repeats {repeats}`")));
    }
    let grain = if axis.is_counted() { Grain::Whole } else { Grain::Fine };
    Ok(Settings { from, to, grain, precision: config.precision.max(FINEST), repeats, needed })
}

/// A search under way.
struct SearchUnderWay<'a> {
    search: &'a LoadSearch<'a>,
    axis: Axis,
    /// How each load is run.
    run: RunConfig,
    began: Instant,
    running: Option<Nodes>,
    /// How the server ended that has not been started again yet.
    dead: Option<String>,
    /// One of the runs, for what they have in common.
    sample: Option<RunResult>,
    points: Vec<Point>,
    notes: Vec<String>,
}

impl<'a> SearchUnderWay<'a> {
    fn config(&self) -> &'a SearchConfig {
        self.search.config
    }

    /// Runs until the answer is found. None if it was stopped before.
    fn search(&mut self, settings: Settings, listener: &mut Listener<'_>) -> Result<Option<Found>, Error> {
        let mut search = Search::new(settings);
        loop {
            match search.ask() {
                Next::Over(found) => return Ok(Some(found)),
                Next::Play(step) => {
                    if self.config().run.max_time.is_some_and(|most| self.began.elapsed() > most) {
                        self.notes.push(
                            "the search reached its longest time before the answer was found".to_owned(),
                        );
                        return Ok(None);
                    }
                    let Some(outcome) = self.play(step, listener)? else { return Ok(None) };
                    search.tell(outcome);
                    listener(Event::ResultSoFar(&|| {
                        Some(Box::new(clean(self.result(None, None)?, &self.search.server.secrets).ok()?))
                    }))?;
                    self.settle();
                }
            }
        }
    }

    /// The scenario at this load.
    ///
    /// # Errors
    /// The report of what cannot be with this load.
    fn loaded(&self, load: f64) -> Result<Selected, String> {
        let rate = Rate { per_second: load };
        let mut overrides = self.search.selected.overrides.clone();
        match &self.axis {
            Axis::Clients => overrides.clients = Some(load as u32),
            Axis::Rate => overrides.rate = Some(rate),
            Axis::Arrivals => overrides.arrive = Some(rate),
            Axis::Variable(name) => {
                overrides.vars.retain(|(known, _)| known != name);
                overrides.vars.push((name.clone(), load.to_string()));
            }
        }
        self.search.selected.with(overrides)
    }

    /// The user wanted no more while something was waited for: that is told.
    ///
    /// # Errors
    /// What went wrong otherwise.
    fn give_up(&mut self, mut error: Error, listener: &mut Listener<'_>) -> Result<(), Error> {
        if !error.is_interrupted() {
            return Err(error);
        }
        listener(Event::Noted(&error.line()))?;
        self.notes.push(error.line());
        self.sample = self.sample.take().or(error.result.take().map(|result| *result));
        Ok(())
    }

    /// Runs a step and reports its outcome. None if the user stopped the search.
    fn play(&mut self, step: Step, listener: &mut Listener<'_>) -> Result<Option<StepOutcome>, Error> {
        let Some(outcome) = self.outcome(step, listener)? else { return Ok(None) };
        let load = &self.axis.words(step.load);
        let death = match &outcome {
            StepOutcome::Died(how) => Some(format!("at {load} the server ended ({how})")),
            StepOutcome::Gone(how) => Some(format!("at {load} the server was not there any more ({how})")),
            _ => None,
        };
        if let Some(death) = death {
            self.notes.extend(self.dead.replace(death));
        }
        listener(Event::LoadPlayed { load, outcome: &outcome })?;
        Ok(Some(outcome))
    }

    fn outcome(&mut self, step: Step, listener: &mut Listener<'_>) -> Result<Option<StepOutcome>, Error> {
        let LoadSearch { server, stop, .. } = *self.search;
        let selected = match self.loaded(step.load) {
            Ok(selected) => selected,
            // Lower loads could be read: what was found is not to be lost.
            Err(words) => return Ok(Some(StepOutcome::Limited(Error::wrong(words).line()))),
        };
        let config = self.run.clone();
        let run = ScenarioRun { config: &config, server, selected: &selected, stop };
        if let Err(why) = run.check_machine() {
            return Ok(Some(StepOutcome::Limited(why)));
        }
        let running = match self.running.take() {
            Some(running) if step.server == Server::Same || server.is_found() => running,
            old => {
                if let Some(old) = old {
                    old.stop();
                }
                match run.start() {
                    Ok(running) => {
                        if self.sample.is_none() {
                            running.notes().into_iter().try_for_each(|note| listener(Event::Noted(note)))?;
                        }
                        let again = if server.is_found() { "came back" } else { "was started again" };
                        self.notes.extend(self.dead.take().map(|dead| format!("{dead} and {again}")));
                        running
                    }
                    Err(error) if self.sample.is_none() || error.is_interrupted() => {
                        return self.give_up(error, listener).map(|()| None);
                    }
                    Err(error) if server.is_found() => return Ok(Some(StepOutcome::Gone(error.line()))),
                    Err(error) => return Ok(Some(StepOutcome::Died(error.line()))),
                }
            }
        };
        let Ended { result, has_accident, .. } = match run.run_to_end(&running, listener) {
            // An agent may lack files or ports for this load.
            Err(error) if self.run.machines.is_some() && error.status == Some(Status::Invalid) => {
                self.running = Some(running);
                return Ok(Some(StepOutcome::Limited(error.line())));
            }
            Err(error) => {
                self.running = Some(running);
                return self.give_up(error, listener).map(|()| None);
            }
            Ok(ended) => ended,
        };
        if stop.load(Ordering::Relaxed) {
            self.running = Some(running);
            self.notes
                .push(format!("interrupted at {}: that run is not counted", self.axis.words(step.load)));
            self.sample = self.sample.take().or(Some(result));
            return Ok(None);
        }
        let patience = if has_accident { LAST_BREATH } else { Duration::ZERO };
        let outcome = match running.ended_within(patience) {
            Some(how) => StepOutcome::Died(how.sentence()),
            None => {
                self.running = Some(running);
                outcome(&result, self.config().min_samples)
            }
        };
        let gone = match has_accident && outcome != StepOutcome::Held {
            true => match self.look_again(&run) {
                Ok(gone) => gone,
                Err(error) => return self.give_up(error, listener).map(|()| None),
            },
            false => None,
        };
        let outcome = gone.map_or(outcome, StepOutcome::Gone);
        self.points.push(Point::of(&result, step.load, step.purpose, outcome.clone()));
        self.sample = Some(result);
        Ok(Some(outcome))
    }

    /// Whether a server that we did not start is still there, after connections to it broke: without this, each load that is
    /// played on nothing would be told to be one that the server did not bear. How it is seen that it is not.
    fn look_again(&mut self, run: &ScenarioRun<'_>) -> Result<Option<String>, Error> {
        if !run.server.is_found() || !run.server.services.is_empty() {
            return Ok(None);
        }
        if let Some(old) = self.running.take() {
            old.stop();
        }
        match run.start() {
            Ok(running) => {
                self.running = Some(running);
                Ok(None)
            }
            Err(error) if error.is_interrupted() => Err(error),
            Err(error) => Ok(Some(error.line())),
        }
    }

    /// Gives the server its time between two steps.
    fn settle(&self) {
        const GLANCE: Duration = Duration::from_millis(50);
        let until = Instant::now() + self.config().settle;
        while Instant::now() < until && !self.search.stop.load(Ordering::Relaxed) {
            thread::sleep(GLANCE.min(self.config().settle));
        }
    }

    /// Asks for twice as much as held, then for half, again and again until the thresholds hold.
    fn recover(&mut self, found: &Found, listener: &mut Listener<'_>) -> Result<Option<Recovery>, Error> {
        let Some(held) = found.held else { return Ok(None) };
        let whole = |load: f64| if self.axis.is_counted() { load.round().max(1.0) } else { load };
        let (overload, load) = (whole(held * 2.0), whole(held / 2.0));
        let step = |load| Step { load, purpose: Purpose::Ramp, server: Server::Same };
        let points = self.points.len();
        let Some(_) = self.play(step(overload), listener)? else { return Ok(None) };
        let ended = Instant::now();
        let mut recovery = Recovery { overload, load, broke: 0, after_us: None };
        while recovery.broke < PATIENCE {
            let after = ended.elapsed();
            let Some(outcome) = self.play(step(load), listener)? else { return Ok(None) };
            if outcome == StepOutcome::Held {
                recovery.after_us = Some(micros(after));
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
        let curve = curve(&self.points, held, of_clients, self.run.seed);
        let looked = sample.target.notes.iter();
        let mut notes: Vec<String> = looked.chain(&self.notes).chain(&self.dead).cloned().collect();
        if self.search.server.is_found() {
            if sample.target.services.is_empty() {
                notes.push("the server was already running, so no run had a fresh one".to_owned());
            }
            if self.run.process.is_none() {
                notes.push(
                    "the processor time and the memory of the server are not known: name its process with `--pid`"
                        .to_owned(),
                );
            }
        }
        Some(CapacityResult {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: sample.scenario.clone(),
            target: sample.target.clone(),
            environment: sample.environment.clone(),
            started: sample.started.clone(),
            duration_us: micros(self.began.elapsed()),
            axis: self.axis.clone(),
            precision: self.config().precision,
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

    /// How many machines are needed, if that was asked and can be calculated.
    fn plan(&self, held: f64, curve: &Curve, sample: &RunResult) -> Option<Plan> {
        let users = self.config().plan_for?;
        let own = Load::of(&self.search.selected.scenario);
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
        plan(machine, users, self.config().headroom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SearchConfig {
        SearchConfig { precision: 0.05, repeats: 3, ..SearchConfig::default() }
    }

    fn own(clients: u32, rounds: f64) -> Load {
        Load { clients, rounds, arrivals: 0.0 }
    }

    fn edges(config: &SearchConfig, axis: &Axis, said: &Range) -> (f64, f64) {
        let settings = settings(config, axis, said, own(40, 25.0), 3).expect("it can be searched for");
        (settings.from, settings.to)
    }

    #[test]
    fn without_a_word_about_it_loads_go_from_a_tenth_to_a_hundred_times_the_scenarios_own() {
        let nothing = Range::default();
        assert_eq!(edges(&config(), &Axis::Clients, &nothing), (4.0, 4_000.0));
        assert_eq!(edges(&config(), &Axis::Rate, &nothing), (2.5, 2_500.0));
        assert_eq!(edges(&config(), &Axis::Arrivals, &nothing), (1.0, 1.0));
        assert_eq!(edges(&config(), &Axis::Variable("rooms".to_owned()), &nothing), (1.0, 1e6));
    }

    #[test]
    fn the_user_is_heard_before_the_scenario() {
        let said = Range { axis: None, from: Some(7.0), to: Some(90.0) };
        assert_eq!(edges(&config(), &Axis::Clients, &said), (7.0, 90.0));
        let asked = SearchConfig { to: Some(80.4), ..config() };
        assert_eq!(edges(&asked, &Axis::Clients, &said), (7.0, 80.0), "clients are counted");
    }

    #[test]
    fn every_group_keeps_a_client_and_nobody_asks_for_more_than_there_can_be() {
        let of = |clients| {
            settings(&config(), &Axis::Clients, &Range::default(), own(clients, 0.0), 3).expect("it is right")
        };
        assert_eq!(of(5).from, 3.0);
        assert_eq!(of(MOST_CLIENTS).to, f64::from(MOST_CLIENTS));
    }

    #[test]
    fn more_than_half_of_the_repeats_have_to_hold() {
        let of = |repeats, needed| {
            let config = SearchConfig { repeats, needed, ..config() };
            settings(&config, &Axis::Rate, &Range::default(), own(1, 1.0), 1)
        };
        let needed = |repeats| of(repeats, None).expect("it is right").needed;
        assert_eq!([needed(1), needed(2), needed(3), needed(4)], [1, 2, 2, 3]);
        let refusal = of(2, Some(3)).expect_err("three of two").words;
        assert_eq!(refusal, "error: `--needed 3` is more than `--repeats 2`");
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let config = SearchConfig { from: Some(50.0), to: Some(5.0), ..config() };
        let refusal =
            settings(&config, &Axis::Rate, &Range::default(), own(1, 1.0), 1).expect_err("it is empty");
        assert!(refusal.words.contains("the first load, 50/s, is more than the highest, 5/s"), "{refusal:?}");
        assert_eq!(refusal.status, None);
    }
}
