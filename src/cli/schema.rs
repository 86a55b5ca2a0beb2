//! `sockrates schema`: the JSON Schema of scenarios, for editors, and of all that is stored, for those who read it.

use clap::{Args, ValueEnum};

use super::print;
use crate::runner::Error;
use crate::verdict::Status;
use crate::{capacity, compare, conformance, matrix, scenario};

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
    let schema = match args.what {
        What::Scenario => scenario::schema::schema(),
        What::Result => conformance::json::schema(),
        What::Capacity => capacity::schema::schema(),
        What::Comparison => compare::schema::schema(),
        What::Trend => compare::schema::trend_schema(),
        What::Servers => matrix::result::schema(),
    };
    print(&format!("{schema:#}"))
}
