//! The published JSON Schemas of what is stored. A test makes them of the types that are written: who only builds sockrates
//! does not need what makes them.

/// Of files of `run` and `conform`.
pub(crate) const RESULT: &str = include_str!("../../docs/schema/result.json").trim_ascii_end();
/// Of files of `capacity`.
pub(crate) const CAPACITY: &str = include_str!("../../docs/schema/capacity.json").trim_ascii_end();
/// Of files of `compare`.
pub(crate) const COMPARISON: &str = include_str!("../../docs/schema/comparison.json").trim_ascii_end();
/// Of files of `trend`.
pub(crate) const TREND: &str = include_str!("../../docs/schema/trend.json").trim_ascii_end();
/// Of files of `conform --servers`.
pub(crate) const SERVERS: &str = include_str!("../../docs/schema/servers.json").trim_ascii_end();

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{capacity, compare, conformance, matrix};

    /// `UPDATE_GOLDEN=1` publishes them anew.
    #[test]
    fn the_schemas_of_results_that_are_printed_are_those_of_the_code() {
        for (name, printed, schema) in [
            ("result", RESULT, conformance::json::schema()),
            ("capacity", CAPACITY, capacity::schema::schema()),
            ("comparison", COMPARISON, compare::schema::schema()),
            ("trend", TREND, compare::schema::trend_schema()),
            ("servers", SERVERS, matrix::result::schema()),
        ] {
            let text = format!("{schema:#}");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(format!("docs/schema/{name}.json"), text + "\n").expect("it can be written");
                continue;
            }
            assert!(
                printed == text,
                "docs/schema/{name}.json is not what the code says: UPDATE_GOLDEN=1 cargo test --lib schemas_of_results"
            );
        }
    }
}
