//! What a case says of a server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::format;
use crate::report::RunResult;
use crate::report::result::{CheckResult, ErrorResult};
use crate::scenario::Level;
use crate::verdict::Status;

/// What a case says of a server, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(rename = "CaseVerdict"))]
pub enum Verdict {
    /// The server does what the clause says.
    Pass,
    /// The server breaks a rule that the specification demands.
    Fail,
    /// The server breaks a rule that the specification recommends or implies.
    Warn,
    /// The server differs from the official one where the specification is silent.
    Note,
    /// Not played, because the server lacks what the case needs, or because it would take too long.
    Skip,
    /// Nothing can be said: the server broke a rule of another clause so that the case could not go on, or it could not be
    /// reached.
    Blocked,
}

impl Verdict {
    /// Every verdict, in the order of columns.
    pub const ALL: [Verdict; 6] =
        [Verdict::Pass, Verdict::Fail, Verdict::Warn, Verdict::Note, Verdict::Skip, Verdict::Blocked];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::Note => "note",
            Verdict::Skip => "skip",
            Verdict::Blocked => "blocked",
        }
    }

    /// Whether the server deviated from the clause.
    pub fn is_deviation(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Warn | Verdict::Note)
    }
}

/// How the play of a case ended, apart from what its steps found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// How many connections never came to be: TCP was refused, or not answered.
    pub unreached: u64,
    /// Whether it was stopped because it took far too long.
    pub out_of_time: bool,
    /// How long the server took meanwhile to answer, where that was long.
    pub slow: Option<Duration>,
}

/// What a deviation from a clause of this level is.
pub fn deviation(level: Level) -> Verdict {
    match level {
        Level::Must => Verdict::Fail,
        Level::Should => Verdict::Warn,
        Level::Official => Verdict::Note,
    }
}

/// The verdict on a case of this level, and the reason as a sentence without its full stop.
pub fn judge(level: Level, result: &RunResult, course: Course) -> (Verdict, String) {
    let deviation = deviation(level);
    if result.verdict.status == Status::Passed && !course.out_of_time {
        return (Verdict::Pass, result.verdict.reason.clone());
    }
    if course.unreached > 0 {
        let verb = if course.unreached == 1 { "connection was" } else { "connections were" };
        return (Verdict::Blocked, format!("{} {verb} refused or not answered by TCP", course.unreached));
    }
    let has_found = || {
        result.checks.iter().any(|check| first(check).is_some())
            || result.errors.iter().any(|error| error.is_wrong)
    };
    if let Some(slow) = course.slow.filter(|_| course.out_of_time && !has_found()) {
        let slow = format::duration(slow);
        return (
            Verdict::Skip,
            format!("was stopped: with a server that takes {slow} to answer, it takes too long"),
        );
    }
    if course.out_of_time {
        return (deviation, "the server kept the case going without end, and it was stopped".to_owned());
    }
    let reason = result.checks.iter().find_map(first).or_else(|| result.errors.iter().find_map(wrong));
    (deviation, reason.unwrap_or_else(|| result.verdict.reason.clone()))
}

/// What the server did that it may not do, as a sentence.
fn wrong(error: &ErrorResult) -> Option<String> {
    let example = error.examples.first().filter(|_| error.is_wrong)?;
    Some(format!("{}: {}", error.cause, example.detail))
}

/// The first failure of a step, as a sentence.
fn first(check: &CheckResult) -> Option<String> {
    let failure = check.failures.first()?;
    Some(format!("expected {}, saw {}", failure.expected, failure.actual))
}
