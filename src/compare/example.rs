//! Runs and comparisons for tests.

use std::time::Duration;

use super::conformance::Conformance;
use super::diff::Diff;
use super::judge::Question;
use super::result::{Block, ComparisonResult, Contest, ServerEntry, Trouble, conclude};
use super::stored;
use crate::conformance::example::{result, suite};
use crate::conformance::{CaseResult, Verdict};
use crate::measure::Series;
use crate::report::RunResult;
use crate::report::course::{Course, Quantiles, ServerResult};
use crate::report::example::flawless;
use crate::report::file::Body;
use crate::report::result::{Environment, GroupSize, MetricResult, ScenarioInfo, ServerEnd};
use crate::units::micros;

const SECONDS: usize = 10;
const A_SECOND: u64 = 200;

/// Ten seconds of 200 deliveries each, of about 2 ms times a factor, and of one acknowledgement for each twenty. The first
/// seconds of a run may be slow, each by a factor that grows with the distance to the end of the warm-up.
pub(crate) fn run(slower: f64, slow_until: usize) -> RunResult {
    let slow_until = if slow_until >= SECONDS { 0 } else { slow_until };
    let mut deliveries = Series::new();
    let mut acks = Series::new();
    let mut course = Course { interval_us: 1_000_000, ..Course::default() };
    for second in 0..SECONDS {
        let factor = if second < slow_until { 5.0 * (slow_until - second) as f64 } else { 1.0 };
        let mut of_second = Series::new();
        for number in 0..A_SECOND {
            let value = Duration::from_micros(2000 + number * 3).mul_f64(slower * factor);
            of_second.record(value);
        }
        deliveries.merge(&of_second);
        let mut acks_of_second = Series::new();
        for _ in 0..A_SECOND / 20 {
            acks_of_second.record(Duration::from_micros(1500).mul_f64(slower * factor));
        }
        acks.merge(&acks_of_second);
        course.at_us.push(1_000_000 * (second as u64 + 1));
        course.connected.push(40);
        course.deliveries.push(A_SECOND);
        course.acks.push(A_SECOND / 20);
        course.server_cpu.push(Some(0.5));
        course.server_memory.push(Some(10_000_000));
        push(&mut course.delivery, &of_second);
        push(&mut course.ack, &acks_of_second);
    }
    RunResult {
        duration_us: 1_000_000 * SECONDS as u64,
        measured_us: 1_000_000 * SECONDS as u64,
        clients: vec![GroupSize { group: "crowd".to_owned(), count: 40 }],
        metrics: [("delivery", &deliveries), ("ack", &acks)]
            .into_iter()
            .filter_map(|(name, series)| MetricResult::of(name, series))
            .collect(),
        course: Some(course),
        server: Some(ServerResult {
            cpu_us: 5_000_000,
            cpu_measured_us: 5_000_000,
            memory_before: 8_000_000,
            memory_peak: 10_000_000,
            nodes: Vec::new(),
        }),
        ..flawless()
    }
}

fn push(quantiles: &mut Quantiles, series: &Series) {
    quantiles.p50_us.push(series.quantile(0.5).flatten().map(micros));
    quantiles.max_us.push(series.max().map(micros));
    quantiles.histograms.push(Some(series.encode_coarsely()));
}

/// What is compared in tests: `node` and `bun`.
pub(super) fn contest(blocks_asked: usize) -> Contest {
    let server =
        |name: &str| ServerEntry { name: name.to_owned(), what: format!("{name} server.js"), software: None };
    Contest {
        scenario: ScenarioInfo { name: "A busy room".to_owned(), seed: 1, ..ScenarioInfo::default() },
        environment: Environment { os: "linux x86_64".to_owned(), cpus: 2, ..Environment::default() },
        started: "2026-01-01T00:00:00Z".to_owned(),
        servers: vec![server("node"), server("bun")],
        blocks_asked,
        pinned: false,
        question: Question { level: 0.05, effect: 0.05, seed: 1 },
        conformance: Vec::new(),
        notes: Vec::new(),
    }
}

/// A comparison in which the second server is slower by a factor.
pub(crate) fn comparison(blocks: usize, slower: f64) -> ComparisonResult {
    let mut random = fastrand::Rng::with_seed(9);
    let blocks: Vec<Block> = (0..blocks)
        .map(|_| {
            let noise = [(); 3].map(|()| 1.0 + 0.04 * (random.f64() - 0.5));
            let runs = vec![run(noise[0], 10), run(noise[1], 10), run(slower * noise[2], 10)];
            Block { order: vec![0, 2, 1], runs }
        })
        .collect();
    conclude(contest(blocks.len()), &blocks)
}

/// The end of a server that printed two lines, after 700 ms.
pub(super) fn ended(how: &str) -> ServerEnd {
    ServerEnd {
        node: None,
        service: None,
        how: how.to_owned(),
        is_success: false,
        after_us: 700_000,
        output: vec!["line A".to_owned(), "FATAL: out of widgets".to_owned()],
    }
}

/// What the suite found about a server: these cases failed, one was skipped, and one passed.
pub(super) fn conformance(server: &str, failed: &[&str]) -> Conformance {
    let mut cases: Vec<CaseResult> = failed.iter().map(|case| result(case, None, Verdict::Fail)).collect();
    cases.push(result("rooms/join", None, Verdict::Pass));
    cases.push(result("rooms/recovery", None, Verdict::Skip));
    Conformance::of(&suite(server, cases), failed.len() + 2, false)
}

/// Two days, on the second of which `bun` was slower, an acknowledgement was missed, and `node` failed in another case.
pub(super) fn diff() -> Diff {
    let stored = |result: &ComparisonResult| stored::read(&result.to_json()).expect("it was just written");
    let (mut old, mut new) = (comparison(8, 1.0), comparison(8, 1.5));
    (old.conformance, new.conformance) =
        (vec![conformance("node", &["acks/lost"])], vec![conformance("node", &["acks/twice"])]);
    new.blocks[0].runs[0].troubles = vec![Trouble { what: "ack missed".to_owned(), count: 2 }];
    stored::compare(("monday", &stored(&old)), ("friday", &stored(&new)), 0.05, 1)
}
