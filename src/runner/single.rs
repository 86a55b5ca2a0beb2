//! Results that are alone in their file.

use crate::capacity::{CapacityResult, GrowthResult, growth_report};
use crate::compare::trend::Trend;
use crate::compare::{ComparisonResult, Diff, diff_report, trend_report};
use crate::matrix::ServersResult;
use crate::matrix::site::index;
use crate::report::Report;
use crate::report::file::Body;
use crate::{capacity, compare};

/// A result that is alone in its file, and is rendered alone.
pub(crate) trait Single {
    /// The content of a file of results.
    fn json(&self) -> String;

    /// The report of it.
    fn report(&self) -> Report;
}

macro_rules! single {
    ($($result:ty: $report:path,)*) => {$(
        impl Single for $result {
            fn json(&self) -> String {
                self.to_json()
            }

            fn report(&self) -> Report {
                $report(self)
            }
        }
    )*};
}

single! {
    CapacityResult: capacity::report,
    GrowthResult: growth_report,
    ComparisonResult: compare::report,
    Diff: diff_report,
    Trend: trend_report,
    ServersResult: index,
}
