//! Plays a plan: workers, each a thread with its own clients, sockets, timers and counts; and one conductor.
//!
//! The conductor walks the script ([`Director`]): it tells the workers which act begins, and begins the next one when
//! every client of an act is done everywhere. Workers share nothing but the plan, so that they need no lock; what
//! they counted is merged at the end. The two speak in plain data (`Order`, `Report`), so that workers may be threads here or
//! on other machines. Nothing here prints: [`RunProgress`] reports the progress of the run.

mod accounts;
mod conductor;
mod crew;
mod director;
mod disturbed;
mod operator;
mod orders;
mod records;
#[cfg(test)]
mod tests;
mod timers;
mod worker;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::audit::Findings;
use crate::measure::{Figures, Interval, Tally};
use crate::plan::Plan;
use crate::threshold::WholeAfter;
use crate::transport::RemoteConfig;

#[cfg(test)]
pub(crate) use accounts::Handover;
pub use accounts::{Accounts, Second};
use conductor::Conductor;
pub(crate) use crew::Threads;
pub use director::Director;
use disturbed::DisturbedTimes;
pub use disturbed::Operated;
use operator::Bench;
pub use operator::{Effect, Operator};
pub use orders::Extent;
pub(crate) use orders::{Crew, Order, Report, Share};

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
    /// How long nothing was done in that part but to wait for what was under way, so that the audit can judge it.
    pub waited: Duration,
    /// What was done to the server so far, and is under way.
    pub operations: Vec<Operated>,
    /// When the server was disturbed by that, so far.
    pub disturbed: Vec<(Duration, Duration)>,
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
    /// A machine is dead or cut off.
    Lost,
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
    /// How long nothing was done in that part but to wait for what was under way, so that the audit can judge it.
    pub waited: Duration,
    /// What the audit of the deliveries found, if the script has messages to audit.
    pub findings: Option<Findings>,
    /// How many clients were connected once and did not learn which node a balancer gave them.
    pub astray: u64,
    /// How many connections never came to be: TCP was refused, or not answered for a while.
    pub unreached: u64,
    /// How many could not be made for want of a port of this machine, and of a file.
    pub shortages: (u64, u64),
    /// How it ended.
    pub ending: Ending,
    /// The sentence about the machine that was lost, if one was.
    pub lost: Option<String>,
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

/// Plays a plan with workers that are on other machines. What they report comes through `inbox`, and what is done to the server
/// from here is reported to `operations`.
///
/// # Errors
/// In words, when we could not test.
pub(crate) fn conduct<'p>(
    plan: &'p Plan<'p>,
    crew: &dyn Crew,
    (operations, inbox): (Option<mpsc::Sender<Report>>, &mpsc::Receiver<Report>),
    config: &EngineConfig<'_>,
    tell: &mut dyn FnMut(RunProgress<'_>),
) -> Result<Ran, String> {
    conduct_and_operate(plan, crew, (operations, inbox), &DisturbedTimes::default(), config, tell)
}

/// Plays this machine's share of a plan: lets `act` have the workers, who report through the channel, and returns when it has
/// and they are done.
///
/// # Errors
/// In words, when the operating system has no threads or readiness queues to give.
pub(crate) fn play_share<'p, T>(
    plan: &'p Plan<'p>,
    peers: &[RemoteConfig],
    share: &Share,
    reports: mpsc::Sender<Report>,
    act: impl FnOnce(&Threads) -> T,
) -> Result<T, String> {
    crew::work(plan, peers, share, Arc::default(), reports, act)
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
    let times = Arc::new(DisturbedTimes::default());
    let operations = has_operations(plan).then(|| reports.clone());
    crew::work(plan, &config.peers, &Share::whole(config.workers), times.clone(), reports, |threads| {
        conduct_and_operate(plan, threads, (operations, &inbox), &times, config, tell)
    })?
}

/// Whether the script does something to the server. Without that, the workers alone report: then it is seen when all of them
/// are gone.
pub(crate) fn has_operations(plan: &Plan<'_>) -> bool {
    plan.acts.iter().any(|act| !act.operations.is_empty())
}

/// Conducts the crew, and does to the server what the script says.
fn conduct_and_operate<'p>(
    plan: &'p Plan<'p>,
    crew: &dyn Crew,
    (operations, inbox): (Option<mpsc::Sender<Report>>, &mpsc::Receiver<Report>),
    times: &DisturbedTimes,
    config: &EngineConfig<'_>,
    tell: &mut dyn FnMut(RunProgress<'_>),
) -> Result<Ran, String> {
    let is_over = AtomicBool::new(false);
    let bench = Bench {
        plan,
        operator: config.operator,
        times,
        crew,
        is_over: &is_over,
        stop: config.stop,
        whole_after: Mutex::default(),
    };
    let ran = thread::scope(|scope| {
        let bench = &bench;
        let operate = |act: usize, due: Duration| {
            if let Some(reports) = operations.clone() {
                scope.spawn(move || {
                    let watch = |healing| {
                        scope.spawn(move || bench.see_healed(&healing));
                    };
                    // A conductor that is gone has stopped the run.
                    let is_well = bench.work(&bench.plan.acts[act], due, &watch);
                    let _ = reports.send(Report::Operated(act, is_well));
                });
            }
        };
        let mut conductor = Conductor::new(plan, crew, inbox, &operate, times);
        let ending = conductor.conduct(config, tell);
        is_over.store(true, Ordering::Relaxed);
        conductor.finish(ending)
    });
    ran.map(|ran| Ran { whole_after: bench.whole_after().clone(), ..ran })
}
