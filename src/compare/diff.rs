//! The comparison of two stored results, as data: the content of its file and the input of its texts.
//!
//! [`super::stored`] reads the results and compares them.

use serde::{Deserialize, Serialize};

use super::conformance::Conformance;
use super::demand::{Demand, judge};
use super::judge::FigureRow;
use super::result::Trouble;
use crate::report::file::{Body, Kind};
use crate::report::result::{Environment, MetricResult};
use crate::verdict::Status;

/// What is new beside what was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Diff {
    /// The version of sockrates that wrote it. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// The older result, with which the newer is compared.
    pub old: Day,
    /// The newer one.
    pub new: Day,
    /// How often an interval may leave out the ratio that is true.
    pub level: f64,
    /// Whatever is in both, in the order of its name.
    pub comparisons: Vec<Pair>,
    /// What is to be known beside the figures, one sentence each.
    pub notes: Vec<String>,
}

impl Diff {
    /// The status by these demands, and what is wrong, a sentence each.
    pub(crate) fn judge(&self, demands: &[Demand]) -> (Status, Vec<String>) {
        judge(demands, self.comparisons.iter().map(|pair| (pair.name.as_str(), &pair.rows[..])))
    }
}

/// Where and when a result was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Day {
    /// How it is called in tables: the name of its file.
    pub name: String,
    /// The version of sockrates that measured.
    pub tool_version: String,
    /// When the first run began: RFC 3339, UTC.
    pub started: String,
    /// Where.
    pub environment: Environment,
}

/// A scenario, or a scenario and a server, of which both results tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Pair {
    /// What it is called in both.
    pub name: String,
    /// Figure by figure.
    pub rows: Vec<FigureRow>,
    /// What the older result says of it beside the figures.
    pub old: Facts,
    /// The same of the newer.
    pub new: Facts,
}

/// What one result says of something beside the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Facts {
    /// How many runs were valid measurements.
    pub runs: usize,
    /// What went wrong in all of them together.
    pub troubles: Vec<Trouble>,
    /// The latencies of the valid runs together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies: Vec<MetricResult>,
    /// How the server kept to the protocol, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformance: Option<Conformance>,
}

impl Body for Diff {
    const KIND: Kind = Kind::Diff;

    fn set_tool_version(&mut self, version: &str) {
        version.clone_into(&mut self.tool_version);
    }
}

impl Diff {
    /// Everything that is compared, on either day: its name there, and its facts.
    pub(super) fn sides(&self) -> impl Iterator<Item = (String, &Facts)> {
        self.comparisons.iter().flat_map(move |pair| {
            let name = |day: &Day| format!("{}, {}", pair.name, day.name);
            [(name(&self.old), &pair.old), (name(&self.new), &pair.new)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::diff;
    use super::*;
    use crate::report::file;

    #[test]
    fn what_two_days_come_to_survives_being_stored() {
        let result = diff();
        let back: Diff = file::from_json(&result.to_json()).unwrap();
        assert_eq!((back.old, back.new, back.notes), (result.old, result.new, result.notes));
        assert_eq!(back.comparisons.len(), 2);
        assert_eq!(back.comparisons[1].new, result.comparisons[1].new);
    }
}
