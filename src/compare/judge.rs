//! Whether servers differ, figure by figure.
//!
//! The blocks are pairs: what the machine did in one of them, it did to both servers. So what is judged is the ratio in each
//! block. The estimate is the median of the ratios, its interval is bootstrapped over the blocks, and a difference is claimed
//! only if two things agree: a test over the signs of the blocks, corrected by Holm for all figures and servers of the
//! comparison, and that the estimate is larger than what the first server differed from itself, which was played twice in
//! every block for that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::statistics::power::Demand;
use crate::statistics::signs::{holm, least_p, p_value};
use crate::statistics::{Bootstrap, Interval, deviation, median};

/// What was measured in one run, by the name of the figure.
pub(crate) type Figures = BTreeMap<String, f64>;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Question {
    /// How often a comparison of a server with itself may claim a difference: 0.05.
    pub level: f64,
    /// The difference for which the number of missing blocks is calculated, as a share: 0.05.
    pub effect: f64,
    /// The seed of the bootstrap.
    pub seed: u64,
}

/// How often a difference is to be found that is as large as [`FigureRow::detectable`].
pub(crate) const POWER: f64 = 0.9;

/// One figure of one server beside that of the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FigureRow {
    /// The name of the figure, whose unit it settles: microseconds for what ends in a percentile, times a second for `acks` and
    /// `deliveries`, microseconds of a processor for each message for `cpu`, bytes for each connection for `memory`.
    pub figure: String,
    /// The median over the blocks of the first server.
    pub first: f64,
    /// The same of the other.
    pub other: f64,
    /// Blocks in which both have the figure.
    pub pairs: usize,
    /// The median of the ratios, other to first.
    pub ratio: f64,
    /// The lower end of its 95 % interval.
    pub ratio_low: f64,
    /// The upper end.
    pub ratio_high: f64,
    /// The p-value after the correction. None where nothing is paired, so that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// How far a server has to differ from the first one to count as different: what the first differed from itself, as a share. None
    /// where that is not known.
    pub floor: Option<f64>,
    /// The least difference that this number of blocks shows in nine of ten cases, as a share. None where they show none.
    pub detectable: Option<f64>,
    /// How many more blocks it would take to show the difference that was asked about. None if thousands.
    pub more_blocks: Option<usize>,
    /// The judgement.
    pub difference: Difference,
}

/// Whether a figure differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Difference {
    /// The other's is larger.
    Larger,
    /// The other's is smaller.
    Smaller,
    /// None that these blocks can show.
    None,
    /// There are too few blocks to show any.
    TooFew,
}

/// Judges servers against the first. `first` and `twin` are the runs of the first server, block by block; each of `others`
/// are those of another. A run without a valid measurement has no figures. Gives the rows of each other server.
pub(crate) fn judge(
    first: &[Figures],
    twin: &[Figures],
    others: &[&[Figures]],
    question: Question,
) -> Vec<Vec<FigureRow>> {
    let mut judged: Vec<Vec<(FigureRow, Vec<f64>)>> = others
        .iter()
        .map(|other| {
            let names = first.iter().flat_map(BTreeMap::keys).collect::<std::collections::BTreeSet<_>>();
            names.into_iter().filter_map(|name| measure(name, first, twin, other, question)).collect()
        })
        .collect();
    let raw: Vec<f64> = judged.iter().flatten().map(|(_, logs)| p_value(logs, question.seed)).collect();
    for ((row, logs), p) in judged.iter_mut().flatten().zip(holm(&raw)) {
        row.p = Some(p);
        decide(row, p, logs, raw.len(), question);
    }
    judged.into_iter().map(|rows| rows.into_iter().map(|(row, _)| row).collect()).collect()
}

/// The figures of a row that is not judged yet, and the logarithms of the ratios. None without a pair.
fn measure(
    name: &str,
    first: &[Figures],
    twin: &[Figures],
    other: &[Figures],
    question: Question,
) -> Option<(FigureRow, Vec<f64>)> {
    let logs = logs(name, first, other);
    let estimate = median(&logs)?;
    let of = |runs: &[Figures]| {
        median(&runs.iter().filter_map(|run| run.get(name).copied()).collect::<Vec<f64>>())
    };
    let interval = interval(&logs, question.seed).unwrap_or(Interval { low: estimate, high: estimate });
    let floor = floor(&self::logs(name, first, twin), question.seed);
    let row = FigureRow {
        figure: name.to_owned(),
        first: of(first)?,
        other: of(other)?,
        pairs: logs.len(),
        ratio: estimate.exp(),
        ratio_low: interval.low.exp(),
        ratio_high: interval.high.exp(),
        p: None,
        floor: floor.map(share),
        detectable: None,
        more_blocks: None,
        difference: Difference::None,
    };
    Some((row, logs))
}

/// Judges a row by its corrected p-value. `questions` is for how many it was corrected.
fn decide(row: &mut FigureRow, p: f64, logs: &[f64], questions: usize, question: Question) {
    let level = question.level / questions as f64;
    let demand = Demand { deviation: deviation(logs).unwrap_or(0.0), level, power: POWER };
    let floor = row.floor.unwrap_or(f64::INFINITY);
    let detectable = share(demand.detectable(row.pairs)).max(floor);
    row.detectable = Some(detectable).filter(|least| least.is_finite());
    let wanted = demand.pairs_for(question.effect.ln_1p());
    row.more_blocks = wanted.map(|pairs| pairs.saturating_sub(row.pairs));
    let estimate = row.ratio.ln();
    row.difference = if row.pairs < 2 || least_p(row.pairs) > level {
        Difference::TooFew
    } else if p > question.level || share(estimate.abs()) <= floor {
        Difference::None
    } else if estimate > 0.0 {
        Difference::Larger
    } else {
        Difference::Smaller
    };
}

/// The logarithms of the ratios of a figure, for the blocks in which both have it and neither is nothing.
fn logs(name: &str, first: &[Figures], other: &[Figures]) -> Vec<f64> {
    let log = |(first, other): (&Figures, &Figures)| Some((other.get(name)? / first.get(name)?).ln());
    first.iter().zip(other).filter_map(log).filter(|log| log.is_finite()).collect()
}

fn interval(logs: &[f64], seed: u64) -> Option<Interval> {
    Bootstrap::new(seed).interval_of_median(logs)
}

/// How far the first server may seem to differ from itself: the farther end of the interval.
fn floor(logs: &[f64], seed: u64) -> Option<f64> {
    interval(logs, seed).map(|interval| interval.low.abs().max(interval.high.abs()))
}

/// A difference of logarithms as a share.
fn share(log: f64) -> f64 {
    log.exp_m1()
}

#[cfg(test)]
mod tests;
