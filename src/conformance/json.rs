//! The results of the suite as JSON, and the schema of result files.

use super::result::SuiteResult;
use crate::report::file::{self, Body, Kind, Unreadable};

impl Body for Vec<SuiteResult> {
    const KIND: Kind = Kind::Suite;

    fn set_tool_version(&mut self, version: &str) {
        self.iter_mut().for_each(|suite| version.clone_into(&mut suite.tool_version));
    }
}

/// The content of a result file: pretty-printed, with a final line ending.
pub fn to_json(suites: &[SuiteResult]) -> String {
    file::to_json(Kind::Suite, suites)
}

/// Reads the content of a result file.
///
/// # Errors
/// When it is none, is damaged, or is of another kind or version.
pub fn from_json(text: &str) -> Result<Vec<SuiteResult>, Unreadable> {
    file::from_json(text)
}

/// The JSON Schema of what `run --json` and `conform --json` write.
#[cfg(test)]
pub(crate) fn schema() -> serde_json::Value {
    use crate::report::RunResult;
    use crate::report::file::described;

    let bodies = [described::<Vec<RunResult>>(), described::<Vec<SuiteResult>>()];
    file::schema("A result file of sockrates", &bodies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Verdict;
    use crate::conformance::example::{result, suite};
    use crate::report::example::{flawless, troubled};
    use crate::report::json;
    use crate::session::Transport;

    #[test]
    fn results_come_back_from_their_file_unchanged() {
        let cases = vec![
            result("a/one", None, Verdict::Fail),
            result("a/two", Some(Transport::Upgrade), Verdict::Skip),
        ];
        let suites = vec![suite("x", cases), suite("y", Vec::new())];
        assert_eq!(from_json(&to_json(&suites)), Ok(suites));
    }

    #[test]
    fn a_case_reads_like_this() {
        insta::assert_snapshot!(to_json(&[suite(
            "x",
            vec![result("a/one", Some(Transport::Polling), Verdict::Warn)]
        )]));
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
