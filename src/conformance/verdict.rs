//! What a case says of a server.

use serde::{Deserialize, Serialize};

/// What a case says of a server, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// Nothing can be said, because the server could not be reached in this case.
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
