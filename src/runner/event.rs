//! The events that the runner reports while something runs. The listener shows or stores them. They share nothing else.

use std::time::Duration;

use super::Error;
use crate::capacity::{CapacityResult, GrowthResult, StepOutcome};
use crate::compare::ComparisonResult;
use crate::conformance::Verdict;
use crate::matrix::ServersResult;
use crate::measure::Live;
use crate::report::RunResult;

/// Something that happened. Results so far are functions, because to make one costs time and few listeners want it.
pub(crate) enum Event<'a> {
    /// The first look at a server has found something that is worth a note: a sentence.
    Noted(&'a str),
    /// A run is in progress. Reported about ten times a second.
    RunGoesOn(&'a Live),
    /// Another second of a run is over: its result, had it been interrupted here.
    RunSoFar(&'a dyn Fn() -> RunResult),
    /// A run is over.
    RunEnded,
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
    /// A search has another point: its result, had it been interrupted here. None before the first point.
    SearchSoFar(&'a dyn Fn() -> Option<CapacityResult>),
    /// A search with this number of nodes begins.
    NodesBegin {
        /// How many.
        nodes: u16,
    },
    /// The search with one more number of nodes is over: the growth, had it been interrupted here.
    GrowthSoFar(&'a dyn Fn() -> Option<GrowthResult>),
    /// A comparison begins to play a server within a block.
    TurnBegins {
        /// The number of the block, from 1, and how many there are.
        block: (usize, usize),
        /// The number of the turn within the block, from 1, and how many there are.
        turn: (usize, usize),
        /// The server's name.
        server: &'a str,
    },
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
    /// One more of many servers has been played: what there is so far.
    ServersSoFar(&'a dyn Fn() -> ServersResult),
    /// A comparison has another block or suite: its result, had it been interrupted here. None before the first block.
    ComparisonSoFar(&'a dyn Fn() -> Option<ComparisonResult>),
}

/// Takes events. An `Err` ends whatever runs.
pub(crate) type Listener<'a> = dyn FnMut(Event<'_>) -> Result<(), Error> + 'a;
