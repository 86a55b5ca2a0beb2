//! The conductor: walks the script with a [`Director`], tells the workers which act begins, and brings everything home.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::accounts::{Accounts, Second};
use super::director::Director;
use super::disturbed::DisturbedTimes;
use super::orders::{Crew, Extent, Homecoming, Order, Report};
use super::{Ending, EngineConfig, Ran, RunProgress};
use crate::measure::Tally;
use crate::plan::Plan;

/// How long the conductor waits for a word of its workers before it looks whether it is to stop; they tell more often.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// How long workers that are to leave may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// See the module's head.
pub(super) struct Conductor<'p, 's, 'o> {
    plan: &'p Plan<'s>,
    crew: &'o dyn Crew,
    inbox: &'o Receiver<Report>,
    director: Director<'p>,
    /// For each act, how many workers are not done with it.
    waiting: Vec<usize>,
    active: Vec<usize>,
    live: Vec<u64>,
    completed_steps: u64,
    /// Begins what an act does to the server, at that time.
    operate: &'o dyn Fn(usize, Duration),
    /// What was done to it.
    disturbed: &'o DisturbedTimes,
    /// What is under way is waited for.
    drain: Option<Drain>,
    /// How long such waits took, in the measured part, while nothing else went on.
    waited: Duration,
    accounts: Accounts,
    extent: Extent,
    /// Why a worker cannot go on.
    broken: Option<String>,
    /// Which machine is lost, in a sentence.
    lost: Option<String>,
    /// What the workers brought home.
    homecomings: Vec<Homecoming>,
    /// Seconds that were told of after the end of the script.
    untold: Vec<Second>,
}

/// The wait until the clients have received what they must.
struct Drain {
    /// Since when.
    since: Duration,
    /// Whether nothing else goes on meanwhile, in the measured part of the run.
    is_alone: bool,
    /// How many workers still have clients that wait.
    waiting: usize,
    /// The acts that begin then.
    then: Vec<usize>,
}

impl<'p, 's, 'o> Conductor<'p, 's, 'o> {
    pub(super) fn new(
        plan: &'p Plan<'s>,
        crew: &'o dyn Crew,
        inbox: &'o Receiver<Report>,
        operate: &'o dyn Fn(usize, Duration),
        disturbed: &'o DisturbedTimes,
    ) -> Conductor<'p, 's, 'o> {
        Conductor {
            plan,
            crew,
            inbox,
            director: Director::new(&plan.script),
            waiting: vec![0; plan.acts.len()],
            active: Vec::new(),
            live: vec![0; crew.workers()],
            completed_steps: 0,
            operate,
            disturbed,
            drain: None,
            waited: Duration::ZERO,
            accounts: Accounts::new(crew.workers(), plan.asked.len()),
            extent: if plan.has_measured_part() { Extent::default() } else { Extent::WHOLE },
            broken: None,
            lost: None,
            homecomings: Vec::new(),
            untold: Vec::new(),
        }
    }

    pub(super) fn conduct(
        &mut self,
        config: &EngineConfig<'_>,
        tell: &mut dyn FnMut(RunProgress<'_>),
    ) -> Ending {
        let begun = self.director.begin();
        let halt = Cell::new(false);
        self.start(begun);
        while !self.director.is_over() || self.drain.is_some() {
            if config.stop.load(Ordering::Relaxed) {
                return Ending::Stopped;
            }
            let elapsed = self.plan.context.epoch.elapsed();
            if config.max_time.is_some_and(|most| elapsed >= most) {
                return Ending::OutOfTime;
            }
            let (mut interval, mut seconds) = (None, Vec::new());
            match self.inbox.recv_timeout(HEARTBEAT) {
                Ok(Report::Finished(act)) => self.finished(act),
                Ok(Report::Drained) => self.drained(),
                Ok(Report::Operated(act, is_well)) => {
                    // What was given up for a stop is not done.
                    if config.stop.load(Ordering::Relaxed) {
                        return Ending::Stopped;
                    }
                    if !is_well {
                        return Ending::Finished;
                    }
                    self.finished(act);
                }
                Ok(Report::Counted(worker, counted, live)) => {
                    self.live[worker] = live;
                    interval = Some(*counted);
                }
                Ok(Report::Second(handover)) => seconds = self.accounts.take(*handover),
                Ok(report) => self.hear(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.hear(gone()),
            }
            if self.is_cut_short() {
                return if self.lost.is_some() { Ending::Lost } else { Ending::Stopped };
            }
            tell(RunProgress {
                elapsed,
                acts: &self.active,
                live: self.live.iter().sum(),
                interval,
                seconds: &seconds,
                accounts: &self.accounts,
                extent: self.extent,
                waited: self.waited_until(elapsed),
                operations: self.disturbed.done(),
                disturbed: self.disturbed.until(elapsed),
                halt: &halt,
            });
            if halt.get() {
                return Ending::Halted;
            }
        }
        Ending::Finished
    }

    /// Lets all clients leave, and brings home what was counted.
    ///
    /// # Errors
    /// In words, when a worker cannot go on.
    pub(super) fn finish(mut self, ending: Ending) -> Result<Ran, String> {
        let duration = self.plan.context.epoch.elapsed();
        let workers = self.crew.workers();
        self.crew.tell(Order::Leave);
        let mut left = 0;
        self.listen(|report| {
            left += usize::from(matches!(report, Report::Left));
            left < workers
        });
        self.crew.tell(Order::Close { now: self.plan.context.epoch.elapsed() });
        let mut closed = 0;
        self.listen(|report| {
            closed += usize::from(matches!(report, Report::Closed));
            closed < workers
        });
        self.crew.tell(Order::Finish);
        let mut home = 0;
        self.listen(|report| {
            home += usize::from(matches!(report, Report::Home(_)));
            home < workers
        });
        match self.broken.take() {
            Some(why) => Err(why),
            None => Ok(self.sum_up(ending, duration)),
        }
    }

    /// Takes what is reported, as long as `goes_on` says so and everybody is there.
    fn listen(&mut self, mut goes_on: impl FnMut(&Report) -> bool) {
        let mut until = Instant::now() + SILENCE;
        while !self.is_cut_short() {
            let report = match self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(report) => report,
                Err(RecvTimeoutError::Timeout) => {
                    Report::Lost("the workers do not answer any more".to_owned())
                }
                Err(RecvTimeoutError::Disconnected) => gone(),
            };
            // What they count while they do not leave is no answer.
            if !matches!(report, Report::Counted(..) | Report::Second(_)) {
                until = Instant::now() + SILENCE;
            }
            let goes_on = goes_on(&report);
            self.hear(report);
            if !goes_on {
                return;
            }
        }
    }

    /// What may be said at any time, also when the script is over.
    fn hear(&mut self, report: Report) {
        match report {
            Report::Second(handover) => {
                let told = self.accounts.take(*handover);
                self.untold.extend(told);
            }
            Report::Home(homecoming) => self.homecomings.push(*homecoming),
            Report::Broken(why) => self.broken = self.broken.take().or(Some(why)),
            Report::Lost(who) => self.lost = self.lost.take().or(Some(who)),
            Report::Standing(machine, standing) => {
                self.plan.context.markers.iter().for_each(|markers| markers.take(machine, standing.clone()));
            }
            Report::Finished(_)
            | Report::Drained
            | Report::Operated(..)
            | Report::Counted(..)
            | Report::Left
            | Report::Closed
            // Those are for other machines, and have passed there.
            | Report::Told(_)
            | Report::Shown(_) => {}
        }
    }

    fn is_cut_short(&self) -> bool {
        self.broken.is_some() || self.lost.is_some()
    }

    fn start(&mut self, acts: Vec<usize>) {
        let due = self.plan.context.since(Instant::now()) + self.crew.notice();
        if let Some(settle) = self.director.measures().filter(|_| self.extent.from.is_none()) {
            self.measure(Extent { from: Some(due + settle), to: None });
        }
        for act in acts {
            self.active.push(act);
            if !self.plan.acts[act].operations.is_empty() {
                self.waiting[act] = 1;
                (self.operate)(act, due);
                continue;
            }
            self.waiting[act] = self.crew.workers();
            self.crew.tell(Order::Begin { act, due });
        }
    }

    fn finished(&mut self, act: usize) {
        // An agent may say what it likes, and what was not begun is not over.
        let Some(waiting) = self.waiting.get_mut(act).filter(|waiting| **waiting > 0) else { return };
        *waiting -= 1;
        if *waiting == 0 {
            self.active.retain(|active| *active != act);
            self.completed_steps += self.plan.acts[act].steps.len() as u64;
            let was_measured = self.director.measures().is_some();
            let begun = self.director.finished(act);
            if was_measured && self.director.measures().is_none() {
                let to = self.plan.context.epoch.elapsed();
                self.measure(Extent { to: Some(to), ..self.extent });
            }
            let drains = self.director.is_over() || begun.iter().any(|act| self.plan.acts[*act].drains);
            match drains && self.plan.context.audit.is_some() {
                true => self.drain(begun),
                false => self.start(begun),
            }
        }
    }

    fn measure(&mut self, extent: Extent) {
        self.extent = extent;
        self.crew.tell(Order::Measure(extent));
    }

    /// Waits until every client has received what it must; a worker gives up when the window of the audit is over.
    fn drain(&mut self, then: Vec<usize>) {
        let since = self.plan.context.epoch.elapsed();
        let is_alone = self.active.is_empty() && self.extent.has(since);
        self.drain = Some(Drain { since, is_alone, waiting: self.crew.workers(), then });
        self.crew.tell(Order::Drain);
    }

    fn drained(&mut self) {
        let Some(drain) = &mut self.drain else { return };
        drain.waiting -= 1;
        if drain.waiting == 0 {
            let then = std::mem::take(&mut drain.then);
            self.waited = self.waited_until(self.plan.context.epoch.elapsed());
            self.drain = None;
            self.start(then);
        }
    }

    /// How long nothing was done up to that time but to wait for what is under way.
    fn waited_until(&self, now: Duration) -> Duration {
        let drain = self.drain.as_ref().filter(|drain| drain.is_alone);
        self.waited + drain.map_or(Duration::ZERO, |drain| now.saturating_sub(drain.since))
    }

    /// Adds what the workers brought home to what they had handed over.
    fn sum_up(self, ending: Ending, duration: Duration) -> Ran {
        let waited = self.waited_until(duration);
        let Conductor { accounts, homecomings, mut untold, lost, .. } = self;
        // Of a run that was cut short there is what was known by then.
        let is_whole = lost.is_none();
        let (mut tally, mut findings) = match is_whole {
            true => (Tally::new(), None),
            false => (accounts.stories(), accounts.findings()),
        };
        let (total, mut parts, open) = accounts.close();
        untold.extend(open);
        tally.add(&total);
        let mut rest = Second { end: duration, ..Second::default() };
        for second in untold {
            rest.figures.add(second.figures);
            rest.cpu += second.cpu;
            rest.busiest += second.busiest;
        }
        let (mut busiest, mut astray, mut unreached, mut shortages) = (Duration::ZERO, 0, 0, (0, 0));
        for home in homecomings.into_iter().filter(|_| is_whole) {
            tally.put(&home.figures);
            tally.merge(&home.script_info);
            parts.iter_mut().zip(&home.parts).for_each(|(sum, part)| sum.put(part));
            rest.figures.add(home.figures);
            rest.cpu += home.cpu;
            busiest = busiest.max(home.cpu);
            astray += home.astray;
            unreached += home.unreached;
            shortages.0 += home.shortages.0;
            shortages.1 += home.shortages.1;
            findings = match (findings, home.findings) {
                (Some(mut sum), Some(found)) => {
                    sum.merge(found);
                    Some(sum)
                }
                (sum, found) => sum.or(found),
            };
        }
        rest.busiest += busiest;
        Ran {
            tally,
            parts,
            rest,
            extent: self.extent,
            waited,
            findings,
            astray,
            unreached,
            shortages,
            ending: if lost.is_some() { Ending::Lost } else { ending },
            lost,
            duration,
            completed_steps: self.completed_steps,
            operations: self.disturbed.done(),
            disturbed: self.disturbed.until(duration),
            whole_after: Vec::new(),
        }
    }
}

/// Everybody is gone, and nobody has said why.
fn gone() -> Report {
    Report::Broken("go on: the workers are gone; please report this".to_owned())
}
