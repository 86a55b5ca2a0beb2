//! What was found on many servers, as data: the content of a result file and the input of the site.

use serde::{Deserialize, Serialize};

use super::confirmed::Confirmed;
use crate::conformance::SuiteResult;
use crate::report::file::{Body, Kind};
use crate::report::result::Environment;
use crate::verdict::Status;

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServersResult {
    /// The version of sockrates that played them. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// The command that did it.
    pub command: String,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// How long it took.
    pub duration_us: u64,
    /// Where it ran.
    pub environment: Environment,
    /// The load that each server was put under: the name of the scenario, and what was changed of it.
    pub load: String,
    /// The servers, by name.
    pub servers: Vec<ServerEntry>,
    /// What raw clients have shown of them.
    pub confirmed: Vec<Confirmed>,
}

/// What was found on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServerEntry {
    /// The name of its folder.
    pub name: String,
    /// What it is, in a line.
    pub about: String,
    /// The language that it is written in.
    pub language: String,
    /// The licence of the library.
    pub licence: String,
    /// Where the library is at home.
    pub home: String,
    /// The version of Engine.IO with which it is played.
    pub protocol: u8,
    /// The versions of what it stands on, in the order in which they were told.
    pub versions: Vec<PackageVersion>,
    /// Areas of cases, or clauses, that the fixture cannot show, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cannot_judge: Vec<CannotJudge>,
    /// Why it was not played, where its file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_run: Option<String>,
    /// What kept it from being played to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// What the suite found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteResult>,
    /// How the bundled scenarios went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<ScenarioOutcome>,
    /// How the load went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadOutcome>,
}

/// The version of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PackageVersion {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Something that the fixture cannot show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CannotJudge {
    /// An area of cases, or a clause.
    pub what: String,
    /// Why.
    pub why: String,
}

/// What kept a server from being played to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Trouble {
    /// What was being done.
    pub stage: Stage,
    /// What happened, as a sentence without its full stop.
    pub sentence: String,
    /// The last lines of its output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    /// It was installed.
    Install,
    /// It was started.
    Start,
    /// The suite was played.
    Suite,
    /// A scenario or the load was played.
    Run,
    /// Nothing yet.
    Interrupted,
}

/// How a scenario went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ScenarioOutcome {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub name: String,
    /// The judgement. None where it was not played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Why, as a sentence without its full stop.
    pub reason: String,
}

/// How the load went: figures and the audit of the deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LoadOutcome {
    /// The judgement.
    pub status: Status,
    /// Why, as a sentence without its full stop.
    pub reason: String,
    /// How many clients there were.
    pub clients: u64,
    /// The median of the deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p50_us: Option<u64>,
    /// 99 % of the deliveries were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_p99_us: Option<u64>,
    /// 99 % of the acknowledgements were not longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ack_p99_us: Option<u64>,
    /// Processor time of the server in the measured part, as millionths of one processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millionths: Option<u64>,
    /// Peak of its resident memory, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<u64>,
    /// Deliveries that the audit demanded.
    pub expected: u64,
    /// Those that were missing.
    pub missing: u64,
    /// Those that came again.
    pub duplicate: u64,
    /// Those that came out of order.
    pub disordered: u64,
    /// Those that were for somebody else.
    pub leaked: u64,
}

impl Body for ServersResult {
    const KIND: Kind = Kind::Servers;

    fn set_tool_version(&mut self, version: &str) {
        version.clone_into(&mut self.tool_version);
        let suites = self.servers.iter_mut().filter_map(|server| server.suite.as_mut());
        suites.for_each(|suite| version.clone_into(&mut suite.tool_version));
    }
}

/// The JSON Schema of such a file.
#[cfg(test)]
pub(crate) fn schema() -> serde_json::Value {
    use crate::report::file;

    file::schema("Servers side by side, by sockrates", &[file::described::<ServersResult>()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::example::servers;

    #[test]
    fn a_result_comes_back_from_its_file_unchanged_and_is_valid_by_the_schema() {
        let all = servers();
        let text = all.to_json();
        assert_eq!(crate::report::file::from_json::<ServersResult>(&text), Ok(all));
        let schema = jsonschema::validator_for(&schema()).expect("it is a schema");
        let value = serde_json::from_str(&text).expect("it is JSON");
        let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
        let broken = text.replace("\"protocol\": 4", "\"protocol\": \"four\"");
        assert!(!schema.is_valid(&serde_json::from_str(&broken).expect("it is JSON")));
    }
}
