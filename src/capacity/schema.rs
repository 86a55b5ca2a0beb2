//! The schema of what `capacity` writes: one search, or one for each number of nodes.

use super::growth::GrowthResult;
use super::result::CapacityResult;
use crate::report::file::{self, described};

/// The JSON Schema of what `capacity --json` writes.
pub(crate) fn schema() -> serde_json::Value {
    let bodies = [described::<CapacityResult>(), described::<GrowthResult>()];
    file::schema("A search of sockrates for the highest load", &bodies)
}
