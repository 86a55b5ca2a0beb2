//! A result file of either kind: of `run` or of `conform`, told apart by what is in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::{SuiteFile, SuiteResult};
use crate::report::RunResult;
use crate::report::json::{NotAResult, ResultFile, from_json};

/// The content of a result file.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// Of `run`: one for each scenario.
    Runs(Vec<RunResult>),
    /// Of `conform`: one for each server.
    Suites(Vec<SuiteResult>),
}

impl Stored {
    /// Reads a result file.
    ///
    /// # Errors
    /// When it is none, is damaged, or has another version of the format.
    pub fn read(text: &str) -> Result<Stored, NotAResult> {
        #[derive(Deserialize)]
        struct Kind {
            suites: Option<serde::de::IgnoredAny>,
        }
        match serde_json::from_str(text) {
            Ok(Kind { suites: Some(_) }) => super::json::from_json(text).map(Stored::Suites),
            _ => from_json(text).map(Stored::Runs),
        }
    }
}

/// What a result file of sockrates holds: `results` of `run`, or `suites` of `conform`.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "A result file of sockrates")]
#[expect(dead_code, reason = "it is there for its schema; a file is read by `Stored::read`")]
enum AnyFile {
    Runs(ResultFile),
    Suites(SuiteFile),
}

/// The JSON Schema of result files.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(AnyFile).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};
    use crate::conformance::{Verdict, json::to_json};
    use crate::report::example::{flawless, troubled};
    use crate::report::json;

    #[test]
    fn files_of_both_kinds_are_told_apart_by_what_is_in_them() {
        let runs = vec![troubled(), flawless()];
        assert_eq!(Stored::read(&json::to_json(&runs)), Ok(Stored::Runs(runs)));
        let suites = vec![suite("x", vec![result("a/b", None, Verdict::Fail)])];
        assert_eq!(Stored::read(&to_json(&suites)), Ok(Stored::Suites(suites)));
    }

    #[test]
    fn what_is_no_result_is_refused() {
        for text in
            ["", "[]", "{\"suites\": 3, \"schema_version\": 1}", "{\"schema_version\": 2, \"suites\": []}"]
        {
            assert!(Stored::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_is_valid_by_the_schema() {
        let schema = jsonschema::validator_for(&schema()).expect("it is a schema");
        let verdicts = Verdict::ALL.map(|verdict| result("a/b", None, verdict));
        for text in [
            json::to_json(&[troubled(), flawless()]),
            json::to_json(&[]),
            to_json(&[suite("x", verdicts.to_vec()), suite("y", Vec::new())]),
        ] {
            let value = serde_json::from_str(&text).expect("it is JSON");
            let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(wrong, [""; 0]);
        }
        let broken =
            json::to_json(&[flawless()]).replace("\"duration_us\": 8700", "\"duration_us\": \"long\"");
        assert!(!schema.is_valid(&serde_json::from_str(&broken).expect("it is JSON")));
    }
}
