//! `sockrates schema`: the JSON Schema of scenarios, for editors, and of all that is stored, for those who read it.

use clap::{Args, ValueEnum};

use super::print;
use crate::runner::{Error, schemas};
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
        What::Result => schemas::RESULT,
        What::Capacity => schemas::CAPACITY,
        What::Comparison => schemas::COMPARISON,
        What::Trend => schemas::TREND,
        What::Servers => schemas::SERVERS,
    })
}
