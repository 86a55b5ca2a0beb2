//! The results of `run` as JSON: the result file, and the way back.

use super::file::{self, Body, Kind, Unreadable};
use super::result::RunResult;

impl Body for Vec<RunResult> {
    const KIND: Kind = Kind::Run;

    fn set_tool_version(&mut self, version: &str) {
        self.iter_mut().for_each(|run| version.clone_into(&mut run.tool_version));
    }
}

/// The content of a result file, one result for each scenario that was played: pretty-printed, with a final line
/// ending.
pub fn to_json(results: &[RunResult]) -> String {
    file::to_json(Kind::Run, results)
}

/// Reads the content of a result file.
///
/// # Errors
/// When it is none, is damaged, or is of another kind or version.
pub fn from_json(text: &str) -> Result<Vec<RunResult>, Unreadable> {
    file::from_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Metric;
    use crate::report::example::{flawless, troubled};

    #[test]
    fn a_result_comes_back_from_its_file_unchanged() {
        let results = vec![troubled(), flawless()];
        assert_eq!(from_json(&to_json(&results)).as_ref(), Ok(&results));
    }

    #[test]
    fn a_stored_histogram_gives_the_same_percentiles_again() {
        let results = from_json(&to_json(&[troubled()])).expect("it was written here");
        let result = &results[0];
        let delivery = result.metric(Metric::Delivery).expect("it has deliveries");
        let series = delivery.series().expect("it was encoded here");
        assert_eq!(series.count(), 40_002);
        let p99 = series.quantile(0.99).flatten().expect("p99 is not beyond");
        assert_eq!(Some(p99.as_micros() as u64), delivery.p99_us);
    }

    #[test]
    fn a_small_result_reads_like_this() {
        let mut result = flawless();
        result.counters.truncate(2);
        result.metrics[0].histogram = "HISTFAAAA".into();
        insta::assert_snapshot!(to_json(&[result]));
    }
}
