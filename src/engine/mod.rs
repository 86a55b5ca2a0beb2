//! Plays a plan: workers, each a thread with its own clients, sockets, timers and counts; and one conductor.
//!
//! The conductor walks the script ([`Director`]): it tells the workers which act begins, and begins the next one when
//! every client of an act is done everywhere. Workers share nothing but the plan, so that they need no lock; what
//! they counted is merged at the end. Nothing here prints: [`Beat`]s tell how the run goes.

mod director;
mod records;
mod timers;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::audit::Findings;
use crate::driver::Library;
use crate::measure::Interval;
use crate::measure::Tally;
use crate::plan::Plan;
use crate::transport::Peer;

pub use director::Director;
use records::Exchange;
use worker::{Command, Report, Work, Worker};

/// How long the conductor waits for a word of its workers before it looks whether it is to stop; they tell more often.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// How a plan is to be played.
#[derive(Debug)]
pub struct Orders<'a> {
    /// How many workers; at least one.
    pub workers: usize,
    /// Where the server is.
    pub peer: Peer,
    /// Who makes the connections, if not we ourselves.
    pub library: Option<Arc<dyn Library>>,
    /// The longest that the run may take.
    pub max_time: Option<Duration>,
    /// Set when the run is to be stopped.
    pub stop: &'a AtomicBool,
}

/// How the run goes, told some ten times a second.
#[derive(Debug)]
pub struct Beat<'a> {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// The acts under way, as indices into [`Plan::acts`].
    pub acts: &'a [usize],
    /// How many clients are connected.
    pub live: u64,
    /// What a worker counted since it last told, if it did.
    pub interval: Option<Interval>,
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
}

/// What a run brought.
#[derive(Debug)]
pub struct Ran {
    /// What was counted by all workers.
    pub tally: Tally,
    /// What the audit of the deliveries found, if any message was audited.
    pub findings: Option<Findings>,
    /// How many connections never came to be: TCP was refused, or not answered for a while.
    pub unreached: u64,
    /// How it ended.
    pub ending: Ending,
    /// How long it took.
    pub duration: Duration,
    /// How many steps were played to their end by all their clients.
    pub completed_steps: u64,
}

/// Plays a plan.
///
/// # Errors
/// In words, when we could not test: a variable that cannot be worked out, or an operating system without
/// threads or a readiness queue to give.
pub fn run<'p>(
    plan: &'p Plan<'p>,
    orders: &Orders<'_>,
    tell: &mut dyn FnMut(Beat<'_>),
) -> Result<Ran, String> {
    let (reports, inbox) = mpsc::channel();
    thread::scope(|scope| {
        let mut crews = Vec::new();
        let exchange = Arc::new(Exchange::new(orders.workers.max(1)));
        for index in 0..orders.workers.max(1) {
            let worker = Worker::new(plan, orders, index, reports.clone(), exchange.clone())?;
            let (commands, waker) = worker.line();
            let thread = thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || worker.work())
                .map_err(|error| format!("start a thread: {error}"))?;
            crews.push(Crew { commands, waker, thread });
        }
        drop(reports);
        let mut conductor = Conductor {
            plan,
            director: Director::new(&plan.script),
            waiting: vec![0; plan.acts.len()],
            active: Vec::new(),
            live: vec![0; crews.len()],
            completed_steps: 0,
            drain: None,
        };
        let ending = conductor.conduct(&crews, orders, &inbox, tell);
        let duration = plan.stage.epoch.elapsed();
        let (mut tally, mut unreached, mut audits) = (Tally::new(), 0, Vec::new());
        for crew in &crews {
            crew.tell(Command::Stop);
        }
        let mut failed = None;
        for crew in crews {
            match crew.thread.join() {
                Ok(Ok(work)) => {
                    tally.merge(&work.records.tally);
                    audits.extend(work.records.audit);
                    unreached += work.unreached;
                }
                Ok(Err(why)) => failed = Some(why),
                Err(_) => failed = Some("go on: a worker broke off; please report this".to_owned()),
            }
        }
        match failed {
            Some(why) => Err(why),
            None => {
                let completed_steps = conductor.completed_steps;
                let findings = records::finish(audits, &mut tally, plan.stage.epoch.elapsed());
                Ok(Ran { tally, findings, unreached, ending, duration, completed_steps })
            }
        }
    })
}

struct Crew<'scope> {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
    thread: thread::ScopedJoinHandle<'scope, Result<Work, String>>,
}

impl Crew<'_> {
    fn tell(&self, command: Command) {
        // A worker that is gone is noticed when its thread is joined.
        let _ = self.commands.send(command);
        let _ = self.waker.wake();
    }
}

struct Conductor<'p, 's> {
    plan: &'p Plan<'s>,
    director: Director<'p>,
    /// For each act, how many workers are not done with it.
    waiting: Vec<usize>,
    active: Vec<usize>,
    live: Vec<u64>,
    completed_steps: u64,
    /// What is under way is waited for.
    drain: Option<Drain>,
}

/// The wait until the clients have received what they must.
struct Drain {
    /// How many workers still have clients that wait.
    waiting: usize,
    /// The acts that begin then.
    then: Vec<usize>,
}

impl Conductor<'_, '_> {
    fn conduct(
        &mut self,
        crews: &[Crew<'_>],
        orders: &Orders<'_>,
        inbox: &mpsc::Receiver<Report>,
        tell: &mut dyn FnMut(Beat<'_>),
    ) -> Ending {
        let begun = self.director.begin();
        self.start(crews, begun);
        while !self.director.is_over() || self.drain.is_some() {
            if orders.stop.load(Ordering::Relaxed) {
                return Ending::Stopped;
            }
            let elapsed = self.plan.stage.epoch.elapsed();
            if orders.max_time.is_some_and(|most| elapsed >= most) {
                return Ending::OutOfTime;
            }
            let mut interval = None;
            match inbox.recv_timeout(HEARTBEAT) {
                Ok(Report::Finished(act)) => self.finished(crews, act),
                Ok(Report::Drained) => self.drained(crews),
                Ok(Report::Counted(worker, counted, live)) => {
                    self.live[worker] = live;
                    interval = Some(*counted);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Joining the workers tells why.
                Ok(Report::Broken) | Err(RecvTimeoutError::Disconnected) => return Ending::Stopped,
            }
            tell(Beat { elapsed, acts: &self.active, live: self.live.iter().sum(), interval });
        }
        Ending::Finished
    }

    fn start(&mut self, crews: &[Crew<'_>], acts: Vec<usize>) {
        let due = Instant::now();
        for act in acts {
            self.waiting[act] = crews.len();
            self.active.push(act);
            for crew in crews {
                crew.tell(Command::Begin { act, due });
            }
        }
    }

    fn finished(&mut self, crews: &[Crew<'_>], act: usize) {
        self.waiting[act] -= 1;
        if self.waiting[act] == 0 {
            self.active.retain(|active| *active != act);
            self.completed_steps += self.plan.acts[act].steps.len() as u64;
            let begun = self.director.finished(act);
            let drains = self.director.is_over() || begun.iter().any(|act| self.plan.acts[*act].drains);
            match drains && self.plan.stage.audit.is_some() {
                true => self.drain(crews, begun),
                false => self.start(crews, begun),
            }
        }
    }

    /// Waits until every client has received what it must; a worker gives up when the window of the audit is over.
    fn drain(&mut self, crews: &[Crew<'_>], then: Vec<usize>) {
        self.drain = Some(Drain { waiting: crews.len(), then });
        crews.iter().for_each(|crew| crew.tell(Command::Drain));
    }

    fn drained(&mut self, crews: &[Crew<'_>]) {
        let Some(drain) = &mut self.drain else { return };
        drain.waiting -= 1;
        if drain.waiting == 0 {
            let then = std::mem::take(&mut drain.then);
            self.drain = None;
            self.start(crews, then);
        }
    }
}
