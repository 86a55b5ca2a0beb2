//! Results as JSON.

use super::result::{SCHEMA_VERSION, SuiteFile, SuiteResult};
use crate::report::json::{NotAResult, known_version};

/// The content of a result file: pretty-printed, with a final line ending.
pub fn to_json(suites: &[SuiteResult]) -> String {
    let file = SuiteFile { schema_version: SCHEMA_VERSION, suites: suites.to_vec() };
    let text = serde_json::to_string_pretty(&file).expect("a result has nothing that JSON cannot say");
    text + "\n"
}

/// Reads the content of a result file.
///
/// # Errors
/// When it is none, is damaged, or has another version of the format.
pub fn from_json(text: &str) -> Result<Vec<SuiteResult>, NotAResult> {
    known_version(text)?;
    let file: SuiteFile = serde_json::from_str(text).map_err(|error| NotAResult::damaged(&error))?;
    Ok(file.suites)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Verdict;
    use crate::conformance::example::{result, suite};
    use crate::session::Transport;

    #[test]
    fn results_come_back_from_their_file_unchanged() {
        let cases = vec![
            result("a/one", None, Verdict::Fail),
            result("a/two", Some(Transport::Upgrade), Verdict::Skip),
        ];
        let suites = vec![suite("x", cases), suite("y", Vec::new())];
        let file: SuiteFile = serde_json::from_str(&to_json(&suites)).expect("it was written here");
        assert_eq!((file.schema_version, file.suites), (SCHEMA_VERSION, suites));
    }

    #[test]
    fn a_case_reads_like_this() {
        insta::assert_snapshot!(to_json(&[suite(
            "x",
            vec![result("a/one", Some(Transport::Polling), Verdict::Warn)]
        )]));
    }
}
