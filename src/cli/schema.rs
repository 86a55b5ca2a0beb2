//! `sockrates schema`: the JSON Schema of scenarios, for editors, and of all that is stored, for those who read it.

use clap::{Args, ValueEnum};

use super::print;
use crate::runner::Error;
use crate::scenario;
use crate::verdict::Status;

/// Prints the JSON Schema of scenarios or of results
#[derive(Debug, Args)]
#[command(before_help = help!("schema"))]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_name = "WHAT")]
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Of a scenario, for completion and checks in editors
    Scenario,
    /// Of a result file of `run` or `conform`
    Result,
    /// Of a file of `capacity`
    Capacity,
    /// Of a file of `compare`, of servers or of two days
    Comparison,
    /// Of a file of `trend`
    Trend,
    /// Of a file of `conform --servers`
    Servers,
}

/// Prints it.
pub(super) fn schema(args: &SchemaArgs) -> Result<Status, Error> {
    print(match args.what {
        What::Scenario => return print(&format!("{:#}", scenario::schema::schema())),
        What::Result => RESULT.trim_end(),
        What::Capacity => CAPACITY.trim_end(),
        What::Comparison => COMPARISON.trim_end(),
        What::Trend => TREND.trim_end(),
        What::Servers => SERVERS.trim_end(),
    })
}

// A test makes them of the types that are written. Who only builds sockrates does not need what makes them.
const RESULT: &str = include_str!("../../docs/schema/result.json");
const CAPACITY: &str = include_str!("../../docs/schema/capacity.json");
const COMPARISON: &str = include_str!("../../docs/schema/comparison.json");
const TREND: &str = include_str!("../../docs/schema/trend.json");
const SERVERS: &str = include_str!("../../docs/schema/servers.json");

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
            let text = format!("{schema:#}\n");
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(format!("docs/schema/{name}.json"), &text).expect("it can be written");
                continue;
            }
            assert!(
                printed == text,
                "docs/schema/{name}.json is not what the code says: UPDATE_GOLDEN=1 cargo test --lib schemas_of_results"
            );
        }
    }
}
