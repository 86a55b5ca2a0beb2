//! What a comparison found, as data: the content of its file and the input of its texts.

use serde::{Deserialize, Serialize};

use super::conformance::Conformance;
use super::figure;
use super::judge::{FigureRow, Figures, Question, judge};
use crate::audit::Fault;
use crate::measure::Series;
use crate::observe::{Counter, Metric};
use crate::report::RunResult;
use crate::report::file::{Body, Kind};
use crate::report::result::{Environment, MetricResult, ScenarioInfo, ServerEnd};
use crate::statistics::quantile;
use crate::verdict::Status;

/// Everything that is known of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ComparisonResult {
    /// The version of sockrates that wrote it. In a file it stands in the envelope ([`crate::report::file`]).
    #[serde(skip)]
    pub tool_version: String,
    /// What was played.
    pub scenario: ScenarioInfo,
    /// Where.
    pub environment: Environment,
    /// When it began: RFC 3339, UTC.
    pub started: String,
    /// The servers, the first of which the others are compared with.
    pub servers: Vec<ServerEntry>,
    /// How many blocks were asked for.
    pub blocks_asked: usize,
    /// The time at the front of each run that belongs to its warm-up and counts for nothing.
    pub warm_up_us: u64,
    /// How often a server beside itself may seem to differ.
    pub level: f64,
    /// The difference for which the number of missing blocks is calculated.
    pub effect: f64,
    /// The blocks that were finished.
    pub blocks: Vec<BlockResult>,
    /// Whether the server had a processor of its own.
    pub pinned: bool,
    /// The latencies of each contestant, of all its valid runs together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies: Vec<Latencies>,
    /// The servers but the first, beside it. With a single server, that server beside itself.
    pub comparisons: Vec<Comparison>,
    /// How each server kept to the protocol, where that was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conformance: Vec<Conformance>,
    /// What is to be known beside the figures, one sentence each.
    pub notes: Vec<String>,
}

/// A server of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ServerEntry {
    /// Its name.
    pub name: String,
    /// What it is started with, or where it is found.
    pub what: String,
    /// What it calls itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
}

/// The latencies of a contestant, of all its valid runs together and without their warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Latencies {
    /// The server.
    pub server: String,
    /// True for the second runs of the first server.
    pub twin: bool,
    /// The series that have values.
    pub metrics: Vec<MetricResult>,
}

/// One block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BlockResult {
    /// The runs, in the order in which they were played.
    pub runs: Vec<RunFigures>,
}

/// One run of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RunFigures {
    /// The server; the twin of the first has its name, too.
    pub server: String,
    /// True for the second run of the first server, which shows what it differs from itself.
    pub twin: bool,
    /// How the run came out.
    pub status: Status,
    /// Its figures; none where the run was not valid.
    pub figures: Figures,
    /// What went wrong in it.
    pub troubles: Vec<Trouble>,
    /// How the server ended during the run, where we started it and it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_end: Option<ServerEnd>,
}

/// Something that went wrong, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Trouble {
    /// What.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// A server beside the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Comparison {
    /// Its name.
    pub server: String,
    /// Figure by figure.
    pub rows: Vec<FigureRow>,
}

/// A block as it was played: a run for each contestant, in this order.
#[derive(Debug)]
pub(crate) struct Block {
    /// The contestants in the order in which they were played: 0 is the first server, 1 its twin, 2 the second server.
    pub order: Vec<usize>,
    /// Their runs, by contestant.
    pub runs: Vec<RunResult>,
}

/// What was compared, and how.
#[derive(Clone, Debug)]
pub(crate) struct Contest {
    /// What was played.
    pub scenario: ScenarioInfo,
    /// Where.
    pub environment: Environment,
    /// When it began.
    pub started: String,
    /// The servers.
    pub servers: Vec<ServerEntry>,
    /// How many blocks were asked for.
    pub blocks_asked: usize,
    /// Whether the server had a processor of its own.
    pub pinned: bool,
    /// What is asked.
    pub question: Question,
    /// How the servers kept to the protocol, where that was asked.
    pub conformance: Vec<Conformance>,
    /// What is to be known beside the figures.
    pub notes: Vec<String>,
}

/// Judges the blocks that were finished.
pub(crate) fn conclude(contest: Contest, blocks: &[Block]) -> ComparisonResult {
    let Contest {
        scenario,
        environment,
        started,
        servers,
        blocks_asked,
        pinned,
        question,
        conformance,
        mut notes,
    } = contest;
    let contestants = servers.len() + 1;
    let cut = common_warm_up(blocks, contestants);
    let columns: Vec<Vec<Figures>> = (0..contestants)
        .map(|contestant| blocks.iter().map(|block| figures(&block.runs[contestant], cut)).collect())
        .collect();
    let invalid: Vec<&RunResult> =
        blocks.iter().flat_map(|block| &block.runs).filter(|run| !is_valid(run)).collect();
    if let [first, ..] = invalid[..] {
        notes.push(format!(
            "{} of {} runs were not valid measurements and are left out with their partners; the reason of the first: {}",
            invalid.len(),
            blocks.len() * contestants,
            first.verdict.reason
        ));
    }
    let others: Vec<&[Figures]> = match columns.len() {
        2 => vec![&columns[1]],
        _ => columns.iter().skip(2).map(Vec::as_slice).collect(),
    };
    let rows = judge(
        columns.first().map_or(&[], Vec::as_slice),
        columns.get(1).map_or(&[], Vec::as_slice),
        &others,
        question,
    );
    let names = if servers.len() == 1 { &servers[..] } else { servers.get(1..).unwrap_or_default() };
    let comparisons = names
        .iter()
        .zip(rows)
        .map(|(server, rows)| Comparison { server: server.name.clone(), rows: in_order(rows) })
        .collect();
    let block = |block: &Block| BlockResult {
        runs: block
            .order
            .iter()
            .map(|contestant| RunFigures::of(&block.runs[*contestant], *contestant, &servers, cut))
            .collect(),
    };
    ComparisonResult {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario,
        environment,
        started,
        blocks_asked,
        warm_up_us: micros(blocks, cut),
        level: question.level,
        effect: question.effect,
        blocks: blocks.iter().map(block).collect(),
        pinned,
        latencies: latencies(&servers, blocks, cut),
        servers,
        comparisons,
        conformance,
        notes,
    }
}

/// The figures of a run that is a valid measurement.
fn figures(run: &RunResult, cut: usize) -> Figures {
    if is_valid(run) { figure::of(run, cut) } else { Figures::new() }
}

impl RunFigures {
    fn of(run: &RunResult, contestant: usize, servers: &[ServerEntry], cut: usize) -> RunFigures {
        RunFigures {
            server: servers[contestant.saturating_sub(1)].name.clone(),
            twin: contestant == 1,
            status: run.verdict.status,
            figures: figures(run, cut),
            troubles: troubles(run),
            server_end: run.server_end.clone(),
        }
    }
}

fn is_valid(run: &RunResult) -> bool {
    matches!(run.verdict.status, Status::Passed | Status::Failed)
}

/// The series of which curves are drawn.
pub(super) const LATENCIES: [Metric; 3] = [Metric::Ack, Metric::Response, Metric::Delivery];

/// The latencies of each contestant, its valid runs added up.
fn latencies(servers: &[ServerEntry], blocks: &[Block], cut: usize) -> Vec<Latencies> {
    let added = |contestant: usize, metric: Metric| {
        let runs = blocks.iter().map(|block| &block.runs[contestant]).filter(|run| is_valid(run));
        let mut all = Series::new();
        runs.filter_map(|run| figure::series(run, cut, metric)).for_each(|one| all.merge(&one));
        MetricResult::of(metric.name(), &all)
    };
    let of = |contestant: usize| Latencies {
        server: servers[contestant.saturating_sub(1)].name.clone(),
        twin: contestant == 1,
        metrics: LATENCIES.into_iter().filter_map(|metric| added(contestant, metric)).collect(),
    };
    (0..=servers.len()).map(of).collect()
}

/// The warm-up that is cut off everywhere: that of the server that needs most, in the median of its runs.
fn common_warm_up(blocks: &[Block], contestants: usize) -> usize {
    let of = |contestant: usize| {
        let cuts: Vec<f64> =
            blocks.iter().map(|block| figure::intervals_of_warm_up(&block.runs[contestant]) as f64).collect();
        quantile(&cuts, 0.5).unwrap_or(0.0)
    };
    (0..contestants).map(of).fold(0.0, f64::max).round() as usize
}

/// The length of this number of intervals of the course of a run.
fn micros(blocks: &[Block], intervals: usize) -> u64 {
    let course = blocks.first().and_then(|block| block.runs.first()?.course.as_ref());
    intervals as u64 * course.map_or(0, |course| course.interval_us)
}

/// The rows in the order of [`figure::KINDS`].
fn in_order(mut rows: Vec<FigureRow>) -> Vec<FigureRow> {
    rows.sort_by_key(|row| figure::KINDS.iter().position(|kind| kind.name == row.figure));
    rows
}

/// What is told of runs in which nothing may have gone wrong with the deliveries, or anything.
pub(super) const UNJUDGED: &str = "runs whose deliveries were not judged";

/// What is told of runs that failed for something else than what is counted in their measured part, such as a join before it or a
/// threshold.
pub(super) const FAILED: &str = "runs that failed";

/// What went wrong in a run: the end of the server, failed checks, what the audit found, connects and connections.
pub(super) fn troubles(run: &RunResult) -> Vec<Trouble> {
    let counters = [Counter::ConnectFailed, Counter::Dropped, Counter::AckMissed, Counter::ResponseMissed]
        .map(|counter| (counter.name().to_owned(), run.counter(counter)));
    let faults = Fault::ALL.map(|fault| {
        let found = run.deliveries.as_ref().map_or(0, |found| found.fault(fault));
        (fault.name().to_owned(), found)
    });
    let end = run.server_end.as_ref();
    let ended = if end.is_some_and(|end| end.service.is_some()) { "service ended" } else { "server ended" };
    let mut counted: Vec<(String, u64)> =
        [(ended.to_owned(), u64::from(end.is_some())), ("checks failed".to_owned(), run.failed_checks())]
            .into_iter()
            .chain(counters)
            .chain(faults)
            .collect();
    if run.verdict.status == Status::Failed && counted.iter().all(|(_, count)| *count == 0) {
        counted.push((FAILED.to_owned(), 1));
    }
    counted
        .into_iter()
        .chain([(UNJUDGED.to_owned(), u64::from(run.not_judged().is_some()))])
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| Trouble { what, count })
        .collect()
}

impl Body for ComparisonResult {
    const KIND: Kind = Kind::Comparison;

    fn set_tool_version(&mut self, version: &str) {
        version.clone_into(&mut self.tool_version);
    }
}

impl ComparisonResult {
    /// With the runs of a first block that was not finished, each with its contestant.
    pub(crate) fn with_unfinished(mut self, runs: &[(usize, RunResult)]) -> ComparisonResult {
        let of = |(contestant, run): &(usize, RunResult)| RunFigures::of(run, *contestant, &self.servers, 0);
        let runs: Vec<RunFigures> = runs.iter().map(of).collect();
        let count = runs.iter().filter(|run| run.status != Status::Interrupted).count();
        self.notes.push(format!(
            "the comparison ended in its first block: {count} of its {} runs were finished, so nothing is compared",
            self.servers.len() + 1
        ));
        self.blocks.push(BlockResult { runs });
        self
    }

    /// How many blocks were finished.
    pub(crate) fn finished_blocks(&self) -> usize {
        let is_finished = |block: &&BlockResult| {
            let runs = block.runs.iter().filter(|run| run.status != Status::Interrupted);
            runs.count() > self.servers.len()
        };
        self.blocks.iter().filter(is_finished).count()
    }

    /// What went wrong with a server in all blocks together, its twin included.
    pub(crate) fn troubles(&self, server: &str) -> Vec<Trouble> {
        let mut sum: Vec<Trouble> = Vec::new();
        let runs = self.blocks.iter().flat_map(|block| &block.runs).filter(|run| run.server == server);
        runs.for_each(|run| add_up(&mut sum, &run.troubles));
        sum
    }
}

/// Adds what went wrong to what is known of it.
pub(super) fn add_up(sum: &mut Vec<Trouble>, more: &[Trouble]) {
    for trouble in more {
        match sum.iter_mut().find(|known| known.what == trouble.what) {
            Some(known) => known.count += trouble.count,
            None => sum.push(trouble.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, run};
    use super::super::judge::Difference;
    use super::*;
    use crate::report::file;

    #[test]
    fn a_slower_server_is_worse_in_its_latencies_and_like_the_first_in_what_it_costs() {
        let result = comparison(10, 2.0);
        let rows = &result.comparisons[0].rows;
        let of = |figure: &str| rows.iter().find(|row| row.figure == figure).unwrap().difference;
        assert_eq!(of("delivery p50"), Difference::Larger);
        assert_eq!(of("deliveries"), Difference::None);
        let order: Vec<&str> = rows.iter().map(|row| row.figure.as_str()).collect();
        assert_eq!(order[..2], ["ack p50", "delivery p50"], "{order:?}");
    }

    #[test]
    fn of_a_run_that_failed_for_what_is_not_counted_it_is_told_that_it_failed() {
        let mut failed = run(1.0, 10);
        assert!(troubles(&failed).is_empty());
        // As by a join without an acknowledgement, before the measured part.
        failed.verdict.status = Status::Failed;
        assert_eq!(troubles(&failed), [Trouble { what: FAILED.to_owned(), count: 1 }]);
        let missed = failed.counters.iter_mut().find(|counter| counter.name == "ack missed");
        missed.expect("all counters are there").value = 3;
        assert_eq!(troubles(&failed), [Trouble { what: "ack missed".to_owned(), count: 3 }]);
    }

    #[test]
    fn a_run_that_was_not_valid_is_left_out_and_told() {
        let mut result = run(1.0, 10);
        result.verdict.status = Status::Invalid;
        let block = Block { order: vec![1, 0, 2], runs: vec![run(1.0, 10), run(1.0, 10), result] };
        let concluded = conclude(super::super::example::contest(1), &[block]);
        assert!(concluded.comparisons[0].rows.is_empty());
        assert!(concluded.notes[0].contains("1 of 3 runs"), "{:?}", concluded.notes);
    }

    #[test]
    fn a_first_block_that_was_not_finished_keeps_its_runs_and_compares_nothing() {
        let mut interrupted = run(1.0, 10);
        interrupted.verdict.status = Status::Interrupted;
        let unfinished = [(2, run(2.0, 10)), (0, interrupted)];
        let result = conclude(super::super::example::contest(5), &[]).with_unfinished(&unfinished);
        assert!(result.comparisons.iter().all(|comparison| comparison.rows.is_empty()));
        let told: Vec<(&str, bool)> =
            result.blocks[0].runs.iter().map(|run| (&*run.server, run.figures.is_empty())).collect();
        assert_eq!((told, result.finished_blocks()), (vec![("bun", false), ("node", true)], 0));
        assert!(result.notes[0].contains("1 of its 3 runs were finished"), "{:?}", result.notes);
        let mut interrupted = run(1.0, 10);
        interrupted.verdict.status = Status::Interrupted;
        let unfinished = [(2, run(2.0, 10)), (0, run(1.0, 10)), (1, interrupted)];
        let in_its_last_run = conclude(super::super::example::contest(5), &[]).with_unfinished(&unfinished);
        assert_eq!(in_its_last_run.finished_blocks(), 0);
        let back: ComparisonResult = file::from_json(&result.to_json()).unwrap();
        assert_eq!(back.blocks.len(), 1);
    }

    #[test]
    fn a_comparison_survives_being_stored() {
        let result = comparison(4, 1.0);
        let back: ComparisonResult = file::from_json(&result.to_json()).unwrap();
        assert_eq!(back.latencies, result.latencies);
        assert_eq!(back.servers, result.servers);
        assert_eq!(back.blocks.len(), 4);
    }

    #[test]
    fn the_latencies_of_a_contestant_are_those_of_all_its_valid_runs() {
        let mut invalid = run(9.0, 10);
        invalid.verdict.status = Status::Invalid;
        let blocks = [
            Block { order: vec![0, 1, 2], runs: vec![run(1.0, 10), run(1.0, 10), run(2.0, 10)] },
            Block { order: vec![2, 1, 0], runs: vec![run(1.0, 10), run(1.0, 10), invalid] },
        ];
        let result = conclude(super::super::example::contest(2), &blocks);
        let told: Vec<(&str, bool, u64)> = result
            .latencies
            .iter()
            .map(|one| {
                let delivery = MetricResult::find(&one.metrics, Metric::Delivery).unwrap();
                (one.server.as_str(), one.twin, delivery.count)
            })
            .collect();
        assert_eq!(told, [("node", false, 4000), ("node", true, 4000), ("bun", false, 2000)]);
    }
}
