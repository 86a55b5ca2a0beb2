//! `time to whole after restart of b < 15 s`: how long after something was done to the server all its nodes hear each other again.

use std::time::Duration;

/// What such a threshold begins with.
const BEGIN: &str = "time to whole after ";

/// After what: `restart of b`.
pub(super) fn after(asks: &str) -> Option<String> {
    let words = asks.split_whitespace().collect::<Vec<_>>().join(" ");
    words.strip_prefix(BEGIN).map(str::to_owned)
}

/// How long it took until all nodes heard each other, once this was done to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeAfter {
    /// After what: `restart of b`.
    pub after: String,
    /// From its end until then. None where the run was over before.
    pub took: Option<Duration>,
}
