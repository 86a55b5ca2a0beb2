//! The events that the runner reports while something runs. The listener shows or stores them. They share nothing else.

use std::time::Duration;

use super::{Error, Single};
use crate::capacity::StepOutcome;
use crate::conformance::result::Summary;
use crate::conformance::{SuiteResult, Verdict, counts};
use crate::matrix::ServersResult;
use crate::measure::Live;
use crate::measure::format::{counted, printable};
use crate::report::{RunResult, live};

/// Something that happened. Results so far are functions, because to make one costs time and few listeners want it.
pub(crate) enum Event<'a> {
    /// The first look at a server has found something that is worth a note: a sentence.
    Noted(&'a str),
    /// Something went wrong that ends nothing: lines that are ready to be shown.
    Warned(&'a str),
    /// A run is in progress. Reported about ten times a second.
    RunGoesOn(&'a Live),
    /// Another second of a run is over: its result, had it been interrupted here.
    RunSoFar(&'a dyn Fn() -> RunResult),
    /// A run is over.
    RunEnded,
    /// Another second of one of several scenarios is over: the results of those before it, and its own. None where the secrets
    /// cannot be taken out of it.
    RunsSoFar(&'a dyn Fn() -> Option<Vec<RunResult>>),
    /// One of several scenarios is over: the results of those before it, and its own.
    ScenarioEnded(&'a [RunResult]),
    /// A suite is in progress. Reported with each case, and at least ten times a second.
    SuiteGoesOn {
        /// Since the suite began.
        elapsed: Duration,
        /// The verdicts that there are.
        verdicts: &'a [Verdict],
        /// How many there are going to be.
        all: usize,
        /// The case that ended last; empty before the first.
        last: &'a str,
    },
    /// A suite is over.
    SuiteEnded,
    /// A search has played a load.
    LoadPlayed {
        /// The load in words.
        load: &'a str,
        /// Its outcome.
        outcome: &'a StepOutcome,
    },
    /// A search has another point or is over for one more number of nodes, or a comparison has another block or suite: the
    /// result, had it been interrupted here, clean of secrets. None before there is anything to tell.
    ResultSoFar(&'a dyn Fn() -> Option<Box<dyn Single>>),
    /// A search with this number of nodes begins.
    NodesBegin {
        /// How many.
        nodes: u16,
    },
    /// A comparison begins to play a server within a block.
    TurnBegins {
        /// The number of the block, from 1, and how many there are.
        block: (usize, usize),
        /// The number of the turn within the block, from 1, and how many there are.
        turn: (usize, usize),
        /// The server's name.
        server: &'a str,
    },
    /// The suite begins at one of several servers.
    ServerBegins {
        /// The server's name.
        server: &'a str,
        /// Whether none was played before it.
        is_first: bool,
    },
    /// The suite is over at one of the servers: its result, behind those of the servers before it.
    ServerEnded(&'a [SuiteResult]),
    /// A comparison begins to play the conformance suite against a server.
    SuiteBegins {
        /// The server's name.
        server: &'a str,
    },
    /// Something is done with one of many servers: it is installed, say.
    ServerStage {
        /// The server's name.
        server: &'a str,
        /// What is done, or what came of it.
        stage: &'a str,
    },
    /// One more of many servers has been played: what there is so far, clean of secrets.
    ServersSoFar(&'a dyn Fn() -> Result<ServersResult, Error>),
}

/// Takes events. An `Err` ends whatever runs.
pub(crate) type Listener<'a> = dyn FnMut(Event<'_>) -> Result<(), Error> + 'a;

impl Event<'_> {
    /// A line for those who wait, where it is worth one.
    pub(crate) fn line(&self) -> Option<String> {
        let line = match self {
            Event::LoadPlayed { load, outcome } => format!("{load}: {outcome}"),
            Event::NodesBegin { nodes } => counted(u64::from(*nodes), "node"),
            Event::TurnBegins { block: (block, blocks), turn: (turn, turns), server } => {
                format!("block {block} of {blocks}, {turn} of {turns}: {server}")
            }
            Event::SuiteBegins { server } => format!("conformance of {server}"),
            Event::ServerStage { server, stage } => format!("{server}: {stage}"),
            _ => return None,
        };
        Some(printable(&line))
    }

    /// Since when something goes on, and whether it is worth a line that stays. None of all other events.
    pub(crate) fn goes_on(&self) -> Option<(Duration, bool)> {
        match self {
            Event::RunGoesOn(live) => Some((live.elapsed, true)),
            Event::SuiteGoesOn { elapsed, .. } => Some((*elapsed, false)),
            _ => None,
        }
    }

    /// Of what goes on, where it is and what happens in it.
    pub(crate) fn lines(&self) -> [String; 2] {
        match self {
            Event::RunGoesOn(live) => live::lines(live),
            Event::SuiteGoesOn { elapsed, verdicts, all, last } => {
                let verdicts = verdicts.iter().copied();
                let place = format!("{} s {} of {all} cases", elapsed.as_secs(), verdicts.len());
                [place, format!("{} · {}", counts(&Summary::of(verdicts)), printable(last))]
            }
            _ => Default::default(),
        }
    }
}
