//! The JSON Schema of what `compare --json` writes.

use super::diff::Diff;
use super::result::ComparisonResult;
use super::trend::Trend;
use crate::report::file::{self, described};

/// The schema: of servers in turn, or of two stored results.
pub(crate) fn schema() -> serde_json::Value {
    file::schema("A comparison of sockrates", &[described::<ComparisonResult>(), described::<Diff>()])
}

/// That of the course of stored results.
pub(crate) fn trend_schema() -> serde_json::Value {
    file::schema("A trend of sockrates", &[described::<Trend>()])
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, conformance, diff};
    use super::*;
    use crate::report::file::Body;

    #[test]
    fn what_is_written_is_valid_by_the_schema_and_what_is_broken_is_not() {
        let schema = jsonschema::validator_for(&schema()).expect("it is a schema");
        let mut result = comparison(3, 1.25);
        result.conformance = vec![conformance("node", &["acks/lost"])];
        for text in [result.to_json(), diff().to_json()] {
            let value = serde_json::from_str(&text).expect("it is JSON");
            let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(wrong, [""; 0]);
            let broken = text.replace("\"ratio_low\": ", "\"ratio_lower\": ");
            assert!(!schema.is_valid(&serde_json::from_str(&broken).expect("it is JSON")));
        }
    }
}
