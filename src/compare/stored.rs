//! Results of two days side by side: what was measured then, and what was measured now.
//!
//! They were not played in turn, so nothing is paired, and what the machine did differently in between cannot be told from
//! what the server does differently. A difference is claimed where there are several runs on either side and the interval
//! of the ratio of the medians leaves out 1; with a single run on a side, only the ratio is known.

use std::collections::BTreeMap;

use super::figure;
use super::judge::{Difference, Figures, Row};
use super::result::ComparisonResult;
use crate::report::RunResult;
use crate::report::json::from_json;
use crate::statistics::power::Demand as Power;
use crate::statistics::{Bootstrap, deviation, median};
use crate::verdict::Status;

/// Runs by what they are of: the name of a scenario, or of a scenario and a server.
pub type Stored = BTreeMap<String, Vec<Figures>>;

/// Fewer runs than this on a side make no interval that means anything.
const FEWEST: usize = 4;

/// Reads a file of `run --json` or of `compare --json`.
///
/// # Errors
/// A fragment that reads well after "failed to ".
pub fn read(text: &str) -> Result<Stored, String> {
    if let Some(comparison) = ComparisonResult::from_json(text) {
        return Ok(of_comparison(&comparison));
    }
    from_json(text).map(|results| of_runs(&results)).map_err(|why| why.to_string())
}

fn of_comparison(result: &ComparisonResult) -> Stored {
    let mut stored = Stored::new();
    for run in result.blocks.iter().flat_map(|block| &block.runs).filter(|run| !run.figures.is_empty()) {
        let name = format!("{}, {}", result.scenario.name, run.server);
        stored.entry(name).or_default().push(run.figures.clone());
    }
    stored
}

fn of_runs(results: &[RunResult]) -> Stored {
    let mut stored = Stored::new();
    let valid = |run: &&RunResult| matches!(run.verdict.status, Status::Passed | Status::Failed);
    for run in results.iter().filter(valid) {
        let figures = figure::of(run, figure::intervals_of_warm_up(run));
        stored.entry(run.scenario.name.clone()).or_default().push(figures);
    }
    stored
}

/// What is new beside what was: the rows of everything that is in both.
pub fn compare(old: &Stored, new: &Stored, level: f64, seed: u64) -> Vec<(String, Vec<Row>)> {
    let both = old.iter().filter_map(|(name, old)| Some((name, old, new.get(name)?)));
    both.map(|(name, old, new)| {
        let row = |kind: &figure::Kind| row(kind.name, old, new, level, seed);
        (name.clone(), figure::KINDS.iter().filter_map(row).collect())
    })
    .collect()
}

fn row(figure: &str, old: &[Figures], new: &[Figures], level: f64, seed: u64) -> Option<Row> {
    let of = |runs: &[Figures]| -> Vec<f64> {
        let values = runs.iter().filter_map(|run| run.get(figure).copied());
        values.filter(|value| *value > 0.0).collect()
    };
    let (old, new) = (of(old), of(new));
    let ratio = median(&new)? / median(&old)?;
    let bootstrap = Bootstrap { confidence: 1.0 - level, ..Bootstrap::new(seed) };
    let pairs = old.len().min(new.len());
    let interval = bootstrap
        .interval_of_two(&old, &new, |old, new| Some((median(new)? / median(old)?).ln()))
        .filter(|_| pairs >= FEWEST);
    let logs = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<f64>>();
    let noise = deviation(&logs(&old)).zip(deviation(&logs(&new))).map(|(old, new)| old.hypot(new));
    let power = Power { deviation: noise.unwrap_or(f64::INFINITY), level, power: super::judge::POWER };
    let detectable = Some(power.detectable(pairs).exp_m1()).filter(|least| least.is_finite());
    Some(Row {
        figure: figure.to_owned(),
        first: median(&old)?,
        other: median(&new)?,
        pairs,
        ratio,
        ratio_low: interval.map_or(ratio, |interval| interval.low.exp()),
        ratio_high: interval.map_or(ratio, |interval| interval.high.exp()),
        p: 1.0,
        floor: None,
        detectable: detectable.filter(|_| interval.is_some()),
        more_blocks: None,
        difference: match interval {
            None => Difference::TooFew,
            Some(interval) if interval.low > 0.0 => Difference::Larger,
            Some(interval) if interval.high < 0.0 => Difference::Smaller,
            Some(_) => Difference::None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, run};
    use super::*;
    use crate::report::json::to_json;

    fn of<'a>(rows: &'a [(String, Vec<Row>)], figure: &str) -> &'a Row {
        rows[0].1.iter().find(|row| row.figure == figure).unwrap()
    }

    #[test]
    fn two_comparisons_are_compared_server_by_server() {
        let (old, new) = (comparison(8, 1.0), comparison(8, 1.5));
        let (old, new) = (read(&old.to_json()).unwrap(), read(&new.to_json()).unwrap());
        let rows = compare(&old, &new, 0.05, 1);
        assert_eq!(rows[0].0, "A busy room, bun");
        assert_eq!(of(&rows, "delivery p50").difference, Difference::Larger);
        let node = &rows[1..];
        assert_eq!(of(node, "delivery p50").difference, Difference::None);
    }

    #[test]
    fn single_runs_have_a_ratio_and_no_more() {
        let file = |slower: f64| read(&to_json(&[run(slower, 10)])).unwrap();
        let rows = compare(&file(1.0), &file(3.0), 0.05, 1);
        let row = of(&rows, "delivery p50");
        assert_eq!(row.difference, Difference::TooFew);
        assert!((2.9..3.1).contains(&row.ratio), "{row:?}");
    }

    #[test]
    fn what_is_no_result_is_told() {
        assert!(read("{}").unwrap_err().contains("not a result of sockrates"));
        assert!(read("[").unwrap_err().starts_with("read the result"));
        assert!(compare(&Stored::new(), &Stored::new(), 0.05, 1).is_empty());
    }
}
