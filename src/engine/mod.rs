//! Plays a plan: workers, each a thread with its own clients, sockets, timers and counts; and one conductor.
//!
//! The conductor walks the script ([`Director`]): it tells the workers which act begins, and begins the next one when
//! every client of an act is done everywhere. Workers share nothing but the plan, so that they need no lock; what
//! they counted is merged at the end. Nothing here prints: [`RunProgress`] reports the progress of the run.

mod accounts;
mod director;
mod operator;
mod records;
#[cfg(test)]
mod tests;
mod timers;
mod worker;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::Findings;
use crate::measure::{Figures, Interval, Tally};
use crate::plan::Plan;
use crate::threshold::WholeAfter;
use crate::transport::{Connections, RemoteConfig};

pub use accounts::{Accounts, Second};
pub use director::Director;
use operator::{Bench, DisturbedTimes};
pub use operator::{Operated, Operator};
pub use records::Extent;
use records::Mailboxes;
use worker::{Command, Report, Work, Worker};

/// How long the conductor waits for a word of its workers before it looks whether it is to stop; they tell more often.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// How a plan is to be played.
#[derive(Debug)]
pub struct EngineConfig<'a> {
    /// How many workers; at least one.
    pub workers: usize,
    /// Where the nodes of the server are, in the order of the plan's.
    pub peers: Vec<RemoteConfig>,
    /// The longest that the run may take.
    pub max_time: Option<Duration>,
    /// Set when the run is to be stopped.
    pub stop: &'a AtomicBool,
    /// Does to the server what the script says, where that can be done.
    pub operator: Option<&'a dyn Operator>,
}

/// How the run goes, told some ten times a second.
#[derive(Debug)]
pub struct RunProgress<'a> {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// The acts under way, as indices into [`Plan::acts`].
    pub acts: &'a [usize],
    /// How many clients are connected.
    pub live: u64,
    /// What a worker counted since it last told, if it did.
    pub interval: Option<Interval>,
    /// The seconds that are over and were not reported before.
    pub seconds: &'a [Second],
    /// The run so far.
    pub accounts: &'a Accounts,
    /// Which part of it is measured, as far as that is known.
    pub extent: Extent,
    /// To be set when the run is to end at once.
    pub halt: &'a Cell<bool>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The script was played to its end.
    Finished,
    /// It was stopped from outside.
    Stopped,
    /// The longest time was over.
    OutOfTime,
    /// Whoever was told how it went has halted it.
    Halted,
}

/// What a run brought.
#[derive(Debug)]
pub struct Ran {
    /// What was counted by all workers.
    pub tally: Tally,
    /// The figures of the groups and labels that some threshold asks about, in the order of the plan.
    pub parts: Vec<Figures>,
    /// What was counted after the last second of which [`RunProgress`] told.
    pub rest: Second,
    /// Which part of the run was measured.
    pub extent: Extent,
    /// What the audit of the deliveries found, if the script has messages to audit.
    pub findings: Option<Findings>,
    /// How many connections never came to be: TCP was refused, or not answered for a while.
    pub unreached: u64,
    /// How many could not be made for want of a port of this machine, and of a file.
    pub shortages: (u64, u64),
    /// How it ended.
    pub ending: Ending,
    /// How long it took.
    pub duration: Duration,
    /// How many steps were played to their end by all their clients.
    pub completed_steps: u64,
    /// What was done to the server.
    pub operations: Vec<Operated>,
    /// When the server was disturbed by that.
    pub disturbed: Vec<(Duration, Duration)>,
    /// How long it took afterwards until all nodes heard each other again, where a threshold asks.
    pub whole_after: Vec<WholeAfter>,
}

/// Plays a plan.
///
/// # Errors
/// In words, when we could not test: a variable that cannot be worked out, or an operating system without
/// threads or a readiness queue to give.
pub fn run<'p>(
    plan: &'p Plan<'p>,
    config: &EngineConfig<'_>,
    tell: &mut dyn FnMut(RunProgress<'_>),
) -> Result<Ran, String> {
    let (reports, inbox) = mpsc::channel();
    let (times, is_over) = (Arc::new(DisturbedTimes::default()), AtomicBool::new(false));
    let bench = Bench {
        plan,
        operator: config.operator,
        times: &times,
        is_over: &is_over,
        stop: config.stop,
        whole_after: Mutex::default(),
    };
    let bench = &bench;
    thread::scope(|scope| {
        let mut crews = Vec::new();
        let mailboxes = Arc::new(Mailboxes::new(config.workers.max(1), times.clone()));
        for index in 0..config.workers.max(1) {
            let worker = Connections::new(config.peers.clone())
                .and_then(|transport| Worker::new(plan, transport, index, reports.clone(), mailboxes.clone()))
                .map_err(|error| format!("open a readiness queue: {error}"))?;
            let (commands, waker) = worker.line();
            let thread = thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || worker.work())
                .map_err(|error| format!("start a thread: {error}"))?;
            crews.push(WorkerHandle { commands, waker, thread });
        }
        let operate = |act: usize, reports: mpsc::Sender<Report>| {
            scope.spawn(move || {
                // A conductor that is gone has stopped the run.
                let watch = |healing| {
                    scope.spawn(move || bench.see_healed(&healing));
                };
                let _ = reports.send(Report::Operated(act, bench.work(&bench.plan.acts[act], &watch)));
            });
        };
        // Without anything to do to the server, the workers alone report: then it is seen when all of them are gone.
        let has_operations = plan.acts.iter().any(|act| !act.operations.is_empty());
        let operations = has_operations.then(|| reports.clone());
        drop(reports);
        let mut conductor = Conductor {
            plan,
            director: Director::new(&plan.script),
            waiting: vec![0; plan.acts.len()],
            active: Vec::new(),
            live: vec![0; crews.len()],
            completed_steps: 0,
            operate: &|act| {
                if let Some(reports) = &operations {
                    operate(act, reports.clone());
                }
            },
            operations: Vec::new(),
            drain: None,
            accounts: Accounts::new(crews.len(), plan.asked.len()),
            extent: if plan.has_measured_part() { Extent::default() } else { Extent::WHOLE },
        };
        let ending = conductor.conduct(&crews, config, &inbox, tell);
        is_over.store(true, Ordering::Relaxed);
        let duration = plan.context.epoch.elapsed();
        let (mut closing, mut unreached, mut audits) = (Vec::new(), 0, Vec::new());
        let mut shortages = (0, 0);
        for workers in &crews {
            workers.tell(Command::Stop);
        }
        let mut failed = None;
        for workers in crews {
            match workers.thread.join() {
                Ok(Ok(work)) => {
                    let (tally, parts, audit) = work.records.close();
                    closing.push((tally, parts, work.cpu));
                    audits.extend(audit);
                    unreached += work.unreached;
                    shortages.0 += work.shortages.0;
                    shortages.1 += work.shortages.1;
                }
                Ok(Err(why)) => failed = Some(why),
                Err(_) => failed = Some("go on: a worker broke off; please report this".to_owned()),
            }
        }
        match failed {
            Some(why) => Err(why),
            None => {
                let completed_steps = conductor.completed_steps;
                let extent = conductor.extent;
                // What is still in the box was told by workers that had nothing to wait for.
                let mut untold = Vec::new();
                inbox.try_iter().for_each(|report| match report {
                    Report::Second(handover) => untold.extend(conductor.accounts.take(*handover)),
                    Report::Operated(_, done) => conductor.operations.extend(done),
                    _ => {}
                });
                let (operations, disturbed) = (conductor.operations, times.all());
                let disturbed =
                    disturbed.into_iter().map(|(from, to)| (from, to.unwrap_or(duration))).collect();
                let (total, mut parts, open) = conductor.accounts.close();
                untold.extend(open);
                let mut late = Tally::new();
                let findings = records::finish(audits, &mut late, extent, plan.context.epoch.elapsed());
                closing.push((late, Vec::new(), Duration::ZERO));
                let (tally, rest) = sum_up(&total, &mut parts, untold, closing, duration);
                Ok(Ran {
                    tally,
                    parts,
                    rest,
                    extent,
                    findings,
                    unreached,
                    shortages,
                    ending,
                    duration,
                    completed_steps,
                    operations,
                    disturbed,
                    whole_after: bench.whole_after().clone(),
                })
            }
        }
    })
}

/// Adds what the workers brought home to what they had handed over. Gives all that was counted, and what came after the
/// last second that was reported.
fn sum_up(
    handed_over: &Figures,
    parts: &mut [Figures],
    untold: Vec<Second>,
    closing: Vec<(Tally, Vec<Figures>, Duration)>,
    duration: Duration,
) -> (Tally, Second) {
    let mut tally = Tally::new();
    tally.add(handed_over);
    let mut rest = Second { end: duration, ..Second::default() };
    for second in untold {
        rest.figures.add(second.figures);
        rest.cpu += second.cpu;
        rest.busiest += second.busiest;
    }
    let mut busiest = Duration::ZERO;
    for (mut own, own_parts, cpu) in closing {
        tally.merge(&own);
        parts.iter_mut().zip(&own_parts).for_each(|(sum, part)| sum.add(part));
        rest.figures.add(own.take_figures());
        rest.cpu += cpu;
        busiest = busiest.max(cpu);
    }
    rest.busiest += busiest;
    (tally, rest)
}

struct WorkerHandle<'scope> {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
    thread: thread::ScopedJoinHandle<'scope, Result<Work, String>>,
}

impl WorkerHandle<'_> {
    fn tell(&self, command: Command) {
        // A worker that is gone is noticed when its thread is joined.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

struct Conductor<'p, 's, 'o> {
    plan: &'p Plan<'s>,
    director: Director<'p>,
    /// For each act, how many workers are not done with it.
    waiting: Vec<usize>,
    active: Vec<usize>,
    live: Vec<u64>,
    completed_steps: u64,
    /// Begins what an act does to the server.
    operate: &'o dyn Fn(usize),
    /// What was done to it.
    operations: Vec<Operated>,
    /// What is under way is waited for.
    drain: Option<Drain>,
    accounts: Accounts,
    extent: Extent,
}

/// The wait until the clients have received what they must.
struct Drain {
    /// How many workers still have clients that wait.
    waiting: usize,
    /// The acts that begin then.
    then: Vec<usize>,
}

impl Conductor<'_, '_, '_> {
    fn conduct(
        &mut self,
        crews: &[WorkerHandle<'_>],
        config: &EngineConfig<'_>,
        inbox: &mpsc::Receiver<Report>,
        tell: &mut dyn FnMut(RunProgress<'_>),
    ) -> Ending {
        let begun = self.director.begin();
        let halt = Cell::new(false);
        self.start(crews, begun);
        while !self.director.is_over() || self.drain.is_some() {
            if config.stop.load(Ordering::Relaxed) {
                return Ending::Stopped;
            }
            let elapsed = self.plan.context.epoch.elapsed();
            if config.max_time.is_some_and(|most| elapsed >= most) {
                return Ending::OutOfTime;
            }
            let (mut interval, mut seconds) = (None, Vec::new());
            match inbox.recv_timeout(HEARTBEAT) {
                Ok(Report::Finished(act)) => self.finished(crews, act),
                Ok(Report::Drained) => self.drained(crews),
                Ok(Report::Operated(act, done)) => {
                    let has_failed = done.iter().any(|one| one.failure.is_some());
                    self.operations.extend(done);
                    // What was given up for a stop is not done.
                    if config.stop.load(Ordering::Relaxed) {
                        return Ending::Stopped;
                    }
                    if has_failed {
                        return Ending::Finished;
                    }
                    self.finished(crews, act);
                }
                Ok(Report::Counted(worker, counted, live)) => {
                    self.live[worker] = live;
                    interval = Some(*counted);
                }
                Ok(Report::Second(handover)) => seconds = self.accounts.take(*handover),
                Err(RecvTimeoutError::Timeout) => {}
                // Joining the workers tells why.
                Ok(Report::Broken) | Err(RecvTimeoutError::Disconnected) => return Ending::Stopped,
            }
            tell(RunProgress {
                elapsed,
                acts: &self.active,
                live: self.live.iter().sum(),
                interval,
                seconds: &seconds,
                accounts: &self.accounts,
                extent: self.extent,
                halt: &halt,
            });
            if halt.get() {
                return Ending::Halted;
            }
        }
        Ending::Finished
    }

    fn start(&mut self, crews: &[WorkerHandle<'_>], acts: Vec<usize>) {
        let due = Instant::now();
        if let Some(settle) = self.director.measures().filter(|_| self.extent.from.is_none()) {
            let from = self.plan.context.since(due) + settle;
            self.measure(crews, Extent { from: Some(from), to: None });
        }
        for act in acts {
            self.active.push(act);
            if !self.plan.acts[act].operations.is_empty() {
                self.waiting[act] = 1;
                (self.operate)(act);
                continue;
            }
            self.waiting[act] = crews.len();
            for workers in crews {
                workers.tell(Command::Begin { act, due });
            }
        }
    }

    fn finished(&mut self, crews: &[WorkerHandle<'_>], act: usize) {
        self.waiting[act] -= 1;
        if self.waiting[act] == 0 {
            self.active.retain(|active| *active != act);
            self.completed_steps += self.plan.acts[act].steps.len() as u64;
            let was_measured = self.director.measures().is_some();
            let begun = self.director.finished(act);
            if was_measured && self.director.measures().is_none() {
                let to = self.plan.context.epoch.elapsed();
                self.measure(crews, Extent { to: Some(to), ..self.extent });
            }
            let drains = self.director.is_over() || begun.iter().any(|act| self.plan.acts[*act].drains);
            match drains && self.plan.context.audit.is_some() {
                true => self.drain(crews, begun),
                false => self.start(crews, begun),
            }
        }
    }

    fn measure(&mut self, crews: &[WorkerHandle<'_>], extent: Extent) {
        self.extent = extent;
        crews.iter().for_each(|workers| workers.tell(Command::Measure(extent)));
    }

    /// Waits until every client has received what it must; a worker gives up when the window of the audit is over.
    fn drain(&mut self, crews: &[WorkerHandle<'_>], then: Vec<usize>) {
        self.drain = Some(Drain { waiting: crews.len(), then });
        crews.iter().for_each(|workers| workers.tell(Command::Drain));
    }

    fn drained(&mut self, crews: &[WorkerHandle<'_>]) {
        let Some(drain) = &mut self.drain else { return };
        drain.waiting -= 1;
        if drain.waiting == 0 {
            let then = std::mem::take(&mut drain.then);
            self.drain = None;
            self.start(crews, then);
        }
    }
}
