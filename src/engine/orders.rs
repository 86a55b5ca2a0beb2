//! What the conductor and the workers say to each other: plain data, so that a worker may be a thread or be on another machine.

use std::ops::Range;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::accounts::Handover;
use crate::audit::{Bulletin, Disturbances, Findings};
use crate::measure::{Interval, Taken, Tally};
use crate::step::{Board, Markers, ShownValue, Standing};

/// What the conductor says, to all workers alike. Times are since the beginning of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// The clients of this act begin its steps, due at that time.
    Begin {
        /// As an index into the acts of the plan.
        act: usize,
        /// When.
        due: Duration,
    },
    /// This part of the run is measured.
    Measure(Extent),
    /// From then on the server is disturbed on purpose, or is not any more: all the times of it that are known.
    Disturb(Disturbances),
    /// To be reported as soon as no client has to receive anything any more.
    Drain,
    /// All clients leave.
    Leave,
    /// All clients of all workers have left, and everybody has told so: what is left is judged.
    Close {
        /// When.
        now: Duration,
    },
    /// Everybody has closed: what was counted is brought home, and the work is over.
    Finish,
    /// One client at each node broadcasts a marker of this round.
    Mark(u64),
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// Its clients are done with this act.
    Finished(usize),
    /// This act has done to the server what it does, or could not do all of it. Operators report this.
    Operated(usize, bool),
    /// No client has to receive anything any more.
    Drained,
    /// What it counted since its last report, and how many of its clients are connected.
    Counted(usize, Box<Interval>, u64),
    /// What it counted since the last second was over.
    Second(Box<Handover>),
    /// What its auditor tells those on other machines.
    Told(Box<Bulletin>),
    /// What its clients show those on other machines.
    Shown(Vec<ShownValue>),
    /// All its clients have left.
    Left,
    /// What was left is judged.
    Closed,
    /// What it brings home. It says no more.
    Home(Box<Homecoming>),
    /// It cannot go on, and says no more: why, as it stands behind "failed to".
    Broken(String),
    /// Its machine is dead or cut off: a sentence without its full stop.
    Lost(String),
    /// At which nodes the clients of a machine are, and which nodes hear each other.
    Standing(u16, Standing),
}

/// What a worker brings home.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Homecoming {
    /// Which worker.
    pub(crate) worker: usize,
    /// Series and counters since the last second that it reported.
    pub(crate) figures: Taken,
    /// The same for the single groups and labels that some threshold asks about.
    pub(crate) parts: Vec<Taken>,
    /// All checks and troubles.
    pub(crate) script_info: Tally,
    /// What its audit found, if there is one.
    pub(crate) findings: Option<Findings>,
    /// How many of its clients were connected once and did not learn which node a balancer gave them.
    pub(crate) astray: u64,
    /// How many of its connections were never made.
    pub(crate) unreached: u64,
    /// How many could not be made for want of a port, and of a file.
    pub(crate) shortages: (u64, u64),
    /// The processor time of its thread since the last second that it reported.
    pub(crate) cpu: Duration,
}

/// Which part of the run is measured, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// From when on, if that is known.
    pub from: Option<Duration>,
    /// Until when, if it is over.
    pub to: Option<Duration>,
}

impl Extent {
    /// All of the run.
    pub const WHOLE: Extent = Extent { from: Some(Duration::ZERO), to: None };

    /// Whether it has this moment.
    pub fn has(&self, at: Duration) -> bool {
        self.from.is_some_and(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Which of all workers of a run these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Their numbers.
    pub(crate) own: Range<usize>,
    /// How many there are on all machines.
    pub(crate) all: usize,
}

impl Share {
    /// All of so many.
    pub(crate) fn whole(workers: usize) -> Share {
        let all = workers.max(1);
        Share { own: 0..all, all }
    }
}

/// The workers as the conductor sees them. What they report comes through a channel.
pub(crate) trait Crew: Sync {
    /// How many there are.
    fn workers(&self) -> usize;
    /// Says this to all of them.
    fn tell(&self, order: Order);
    /// Says to those on other machines when the server is disturbed on purpose; those of this process look for themselves.
    fn disturb(&self, _times: Disturbances) {}
    /// Asks for markers of every node in every namespace. Gives the round of each.
    fn ask_for_markers(&self, markers: &Markers) -> Vec<(Arc<Board>, u64)> {
        markers.ask_all()
    }
    /// How long before its time the beginning of an act is announced.
    fn notice(&self) -> Duration {
        Duration::ZERO
    }
}

/// Where workers report.
pub(crate) type Reports = mpsc::Sender<Report>;
