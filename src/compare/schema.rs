//! The JSON Schema of what `compare --json` writes.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff::TwoDaysFile;
use super::result::ComparisonFile;

/// What a comparison of sockrates holds: `comparison`, of servers in turn, or `diff`, of stored results.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "A comparison of sockrates")]
#[expect(dead_code, reason = "it is there for its schema; a file is read as one of the two")]
enum AnyFile {
    Servers(ComparisonFile),
    Diff(TwoDaysFile),
}

/// The schema.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(AnyFile).to_value()
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, conformance, diff};
    use super::*;

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
