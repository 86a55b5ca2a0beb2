//! Results as JSON: the result file, and the way back.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::{RunResult, SCHEMA_VERSION};

/// The content of a result file of `run`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ResultFile {
    /// The version of this format.
    pub schema_version: u32,
    /// One for each scenario that was played, in the order of the command line.
    pub results: Vec<RunResult>,
}

/// The content of a result file, one result for each scenario that was played: pretty-printed, with a final line
/// ending.
pub fn to_json(results: &[RunResult]) -> String {
    #[derive(Serialize)]
    struct Written<'r> {
        schema_version: u32,
        results: &'r [RunResult],
    }
    let written = Written { schema_version: SCHEMA_VERSION, results };
    let text = serde_json::to_string_pretty(&written).expect("a result has nothing that JSON cannot say");
    text + "\n"
}

/// Reads the content of a result file.
///
/// # Errors
/// When it is none, is damaged, or has another version of the format.
pub fn from_json(text: &str) -> Result<Vec<RunResult>, NotAResult> {
    known_version(text)?;
    let file: ResultFile = serde_json::from_str(text).map_err(|error| NotAResult::damaged(&error))?;
    Ok(file.results)
}

/// Refuses a version of the format that is not ours. Asked first: a newer file should be told from a damaged one.
pub(crate) fn known_version(text: &str) -> Result<(), NotAResult> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let Version { schema_version: version } = serde_json::from_str(text)
        .map_err(|error| NotAResult(format!("it is not a result of sockrates: {error}")))?;
    match version {
        SCHEMA_VERSION => Ok(()),
        _ => Err(NotAResult(format!(
            "it has schema version {version}, and this sockrates reads version {SCHEMA_VERSION}; \
             use the version of sockrates that wrote it"
        ))),
    }
}

/// Why a text is not a result, as a fragment that reads well after "failed to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAResult(String);

impl NotAResult {
    pub(crate) fn damaged(why: &serde_json::Error) -> NotAResult {
        NotAResult(format!("it is damaged: {why}"))
    }
}

impl fmt::Display for NotAResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the result: {}", self.0)
    }
}

impl std::error::Error for NotAResult {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::{flawless, troubled};

    #[test]
    fn a_result_comes_back_from_its_file_unchanged() {
        let results = vec![troubled(), flawless()];
        assert_eq!(from_json(&to_json(&results)).as_ref(), Ok(&results));
    }

    #[test]
    fn a_stored_histogram_gives_the_same_percentiles_again() {
        let results = from_json(&to_json(&[troubled()])).expect("it was written here");
        let result = &results[0];
        let delivery =
            result.metrics.iter().find(|metric| metric.name == "delivery").expect("it has deliveries");
        let series = delivery.series().expect("it was encoded here");
        assert_eq!(series.count(), 40_002);
        let p99 = series.quantile(0.99).flatten().expect("p99 is not beyond");
        assert_eq!(Some(p99.as_micros() as u64), delivery.p99_us);
    }

    #[test]
    fn a_small_result_reads_like_this() {
        let mut result = flawless();
        result.counters.truncate(2);
        result.metrics[0].histogram = "HISTFAAAA".into();
        insta::assert_snapshot!(to_json(&[result]));
    }

    #[test]
    fn a_result_of_another_version_is_refused_by_its_version() {
        let text = to_json(&[flawless()]).replace("\"schema_version\": 1", "\"schema_version\": 2");
        let refusal = from_json(&text).expect_err("the version is not ours").to_string();
        assert!(refusal.contains("schema version 2"), "{refusal}");
    }

    #[test]
    fn what_is_no_result_is_refused_with_the_place() {
        for (text, words) in
            [("", "not a result"), ("{}", "not a result"), ("{\"schema_version\":1}", "damaged")]
        {
            let refusal = from_json(text).expect_err("it is no result").to_string();
            assert!(refusal.contains(words) && refusal.contains("line 1"), "{text:?}: {refusal}");
        }
    }
}
