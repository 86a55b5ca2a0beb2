//! Results of two days side by side: what was measured then, and what was measured now.
//!
//! They were not played in turn, so nothing is paired, and what the machine did differently in between cannot be separated from
//! what the server does differently. A difference is claimed where there are several runs on either side and the interval
//! of the ratio of the medians leaves out 1; with a single run on a side, only the ratio is known.

use std::collections::BTreeMap;

use super::conformance::Conformance;
use super::diff::{Day, Diff, Facts, Pair};
use super::figure;
use super::judge::{Difference, FigureRow, Figures};
use super::result::{ComparisonResult, LATENCIES, Trouble, UNJUDGED, add_up, troubles};
use crate::measure::Series;
use crate::measure::format::counted;
use crate::report::RunResult;
use crate::report::file::{Kind, ResultFile, Unreadable};
use crate::report::result::{Environment, MetricResult, ScenarioInfo};
use crate::statistics::power::Demand as Power;
use crate::statistics::{Bootstrap, deviation, median};
use crate::verdict::Status;

/// What a file of results holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stored {
    tool_version: String,
    pub(super) started: String,
    pub(super) environment: Environment,
    /// By what it is of: the name of a scenario, or of a scenario and a server.
    pub(super) measured: BTreeMap<String, Measured>,
    /// How many runs of a scenario are left out, because they have not measured validly.
    left_out: BTreeMap<String, u64>,
}

/// What was measured of one scenario, or of one scenario and one server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) scenario: ScenarioInfo,
    runs: Vec<Figures>,
    troubles: Vec<Trouble>,
    latencies: Vec<MetricResult>,
    conformance: Option<Conformance>,
    /// Whether nothing was wrong, as far as the result says.
    pub(super) is_good: bool,
}

/// Fewer runs than this on a side make no interval that means anything.
const FEWEST: usize = 4;

/// Reads a file of `run --json` or of `compare --json`.
///
/// # Errors
/// When it is neither, or is damaged.
pub(crate) fn read(text: &str) -> Result<Stored, Unreadable> {
    let file = ResultFile::open(text)?;
    match file.kind {
        Kind::Comparison => Ok(of_comparison(&file.body()?)),
        Kind::Run => Ok(of_runs(&file.body::<Vec<RunResult>>()?)),
        _ => Err(file.unwanted(&[Kind::Run, Kind::Comparison])),
    }
}

fn of_comparison(result: &ComparisonResult) -> Stored {
    let of = |server: &str| {
        let runs = result.blocks.iter().flat_map(|block| &block.runs);
        let own = runs.filter(|run| run.server == server && !run.figures.is_empty());
        let latencies = result.latencies.iter().filter(|one| one.server == server);
        Measured {
            scenario: result.scenario.clone(),
            runs: own.map(|run| run.figures.clone()).collect(),
            troubles: result.troubles(server),
            conformance: result.conformance.iter().find(|one| one.server == server).cloned(),
            is_good: result.troubles(server).iter().all(|trouble| trouble.what == UNJUDGED),
            latencies: merged(
                latencies
                    .flat_map(|one| &one.metrics)
                    .filter_map(|metric| Some((metric.name.as_str(), metric.series().ok()?))),
            ),
        }
    };
    let named = |server: &str| (format!("{}, {server}", result.scenario.name), of(server));
    Stored {
        tool_version: result.tool_version.clone(),
        started: result.started.clone(),
        environment: result.environment.clone(),
        measured: result.servers.iter().map(|server| named(&server.name)).collect(),
        left_out: BTreeMap::new(),
    }
}

fn of_runs(results: &[RunResult]) -> Stored {
    let mut stored = Stored::default();
    if let Some(RunResult { tool_version, started, environment, .. }) = results.first() {
        (stored.tool_version, stored.started) = (tool_version.clone(), started.clone());
        stored.environment = environment.clone();
    }
    for run in results {
        if !matches!(run.verdict.status, Status::Passed | Status::Failed) {
            *stored.left_out.entry(run.scenario.name.clone()).or_default() += 1;
            continue;
        }
        let cut = figure::intervals_of_warm_up(run);
        let fresh = Measured { is_good: true, ..Measured::default() };
        let measured = stored.measured.entry(run.scenario.name.clone()).or_insert(fresh);
        measured.scenario = run.scenario.clone();
        measured.runs.push(figure::of(run, cut));
        measured.is_good &= run.verdict.status == Status::Passed;
        add_up(&mut measured.troubles, &troubles(run));
        let known = measured
            .latencies
            .iter()
            .filter_map(|metric| Some((metric.name.as_str(), metric.series().ok()?)));
        let own = LATENCIES
            .into_iter()
            .filter_map(|metric| Some((metric.name(), figure::series(run, cut, metric)?)));
        measured.latencies = merged(known.chain(own));
    }
    stored
}

/// Series of the same name added up.
fn merged<'s>(series: impl Iterator<Item = (&'s str, Series)>) -> Vec<MetricResult> {
    let mut all = LATENCIES.map(|metric| (metric.name(), Series::new()));
    for (name, one) in series {
        if let Some((_, sum)) = all.iter_mut().find(|(known, _)| *known == name) {
            sum.merge(&one);
        }
    }
    all.iter().filter_map(|(name, sum)| MetricResult::of(name, sum)).collect()
}

/// What is new beside what was: everything that both measured validly. Each result comes with its name.
pub(crate) fn compare(old: (&str, &Stored), new: (&str, &Stored), level: f64, seed: u64) -> Diff {
    let ((old_name, old), (new_name, new)) = (old, new);
    let mut notes = Vec::new();
    let mut comparisons = Vec::new();
    if !is_alike(&old.environment, &new.environment) {
        notes.push(format!(
            "{old_name} and {new_name} are not of the same machine, so no difference is of the servers alone"
        ));
    }
    notes.extend(old.notes(old_name).chain(new.notes(new_name)));
    for (name, was) in &old.measured {
        let Some(is) = new.measured.get(name) else {
            notes.push(format!("{name} was measured in {old_name} alone"));
            continue;
        };
        if (&was.scenario.hash, &was.scenario.overrides) != (&is.scenario.hash, &is.scenario.overrides) {
            notes.push(format!("{name} had another text or another load in {old_name} than in {new_name}"));
        }
        let row = |kind: &figure::Kind| row(kind.name, &was.runs, &is.runs, level, seed);
        let rows: Vec<FigureRow> = figure::KINDS.iter().filter_map(row).collect();
        comparisons.push(Pair { name: name.clone(), rows, old: was.facts(), new: is.facts() });
    }
    let fresh = new.measured.keys().filter(|name| !old.measured.contains_key(*name));
    notes.extend(fresh.map(|name| format!("{name} was measured in {new_name} alone")));
    Diff {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        old: old.day(old_name),
        new: new.day(new_name),
        level,
        comparisons,
        notes,
    }
}

impl Stored {
    /// Whether anything in it was measured validly.
    pub(crate) fn is_usable(&self) -> bool {
        !self.measured.is_empty()
    }

    /// What of it is left out, a sentence each. `file`: what it is called.
    pub(super) fn notes(&self, file: &str) -> impl Iterator<Item = String> {
        self.left_out.iter().map(move |(name, count)| {
            let (runs, are) = (counted(*count, "run"), if *count == 1 { "is" } else { "are" });
            format!("{runs} of {name} in {file} {are} not valid and {are} left out")
        })
    }

    fn day(&self, name: &str) -> Day {
        Day {
            name: name.to_owned(),
            tool_version: self.tool_version.clone(),
            started: self.started.clone(),
            environment: self.environment.clone(),
        }
    }
}

impl Measured {
    /// The median of a figure over the runs.
    pub(super) fn median_of(&self, figure: &str) -> Option<f64> {
        let values: Vec<f64> = self.runs.iter().filter_map(|run| run.get(figure).copied()).collect();
        median(&values).filter(|value| *value > 0.0)
    }

    fn facts(&self) -> Facts {
        Facts {
            runs: self.runs.len(),
            troubles: self.troubles.clone(),
            latencies: self.latencies.clone(),
            conformance: self.conformance.clone(),
        }
    }
}

/// Whether two machines look the same. How many files a process may open is not of the machine.
pub(super) fn is_alike(old: &Environment, new: &Environment) -> bool {
    let of = |one: &Environment| (one.os.clone(), one.cpus, one.processor.clone(), one.memory);
    of(old) == of(new)
}

fn row(figure: &str, old: &[Figures], new: &[Figures], level: f64, seed: u64) -> Option<FigureRow> {
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
    Some(FigureRow {
        figure: figure.to_owned(),
        first: median(&old)?,
        other: median(&new)?,
        pairs,
        ratio,
        ratio_low: interval.map_or(ratio, |interval| interval.low.exp()),
        ratio_high: interval.map_or(ratio, |interval| interval.high.exp()),
        p: None,
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
    use crate::observe::Metric;
    use crate::report::file::Body;
    use crate::report::json::to_json;

    fn of<'a>(result: &'a Diff, name: &str, figure: &str) -> &'a FigureRow {
        let pair = result.comparisons.iter().find(|pair| pair.name == name).unwrap();
        pair.rows.iter().find(|row| row.figure == figure).unwrap()
    }

    fn compared(old: &Stored, new: &Stored) -> Diff {
        compare(("monday", old), ("friday", new), 0.05, 1)
    }

    #[test]
    fn two_comparisons_are_compared_server_by_server() {
        let (old, new) = (comparison(8, 1.0), comparison(8, 1.5));
        let result = compared(&read(&old.to_json()).unwrap(), &read(&new.to_json()).unwrap());
        let of = |name: &str| of(&result, name, "delivery p50").difference;
        assert_eq!(of("A busy room, bun"), Difference::Larger);
        assert_eq!(of("A busy room, node"), Difference::None);
        assert_eq!(result.notes, [""; 0]);
        // The first server was played twice in every block.
        assert_eq!(result.comparisons.iter().map(|pair| pair.new.runs).collect::<Vec<_>>(), [8, 16]);
    }

    #[test]
    fn single_runs_have_a_ratio_and_no_more() {
        let file = |slower: f64| read(&to_json(&[run(slower, 10)])).unwrap();
        let result = compared(&file(1.0), &file(3.0));
        let row = of(&result, &run(1.0, 10).scenario.name, "delivery p50");
        assert_eq!(row.difference, Difference::TooFew);
        assert!((2.9..3.1).contains(&row.ratio), "{row:?}");
    }

    #[test]
    fn latencies_and_troubles_of_several_runs_are_added_up() {
        let mut broken = run(1.0, 10);
        let counter = broken.counters.iter_mut().find(|counter| counter.name == "ack missed");
        counter.expect("all counters are there").value = 3;
        let file = read(&to_json(&[broken.clone(), broken])).unwrap();
        let result = compared(&file, &file);
        let facts = &result.comparisons[0].old;
        let delivery = MetricResult::find(&facts.latencies, Metric::Delivery).unwrap();
        assert_eq!((facts.runs, delivery.count), (2, 4000));
        assert_eq!(facts.troubles, [Trouble { what: "ack missed".to_owned(), count: 6 }]);
    }

    #[test]
    fn what_makes_two_days_differ_beside_the_server_is_told() {
        let was = run(1.0, 10);
        let (mut is, mut other) = (was.clone(), was.clone());
        is.scenario.overrides = vec!["--clients 9".to_owned()];
        is.environment.cpus += 1;
        other.scenario.name = "Another".to_owned();
        let result = compared(&read(&to_json(&[was])).unwrap(), &read(&to_json(&[is, other])).unwrap());
        let told = result.notes.join("\n");
        for words in [
            "not of the same machine",
            "another text or another load in monday",
            "Another was measured in friday alone",
        ] {
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn a_run_that_is_not_valid_is_left_out_and_told() {
        let mut torn = run(1.0, 10);
        torn.verdict.status = Status::Invalid;
        assert!(!read(&to_json(std::slice::from_ref(&torn))).unwrap().is_usable());
        let (both, whole) = (to_json(&[run(1.0, 10), torn]), to_json(&[run(1.0, 10)]));
        let result = compared(&read(&both).unwrap(), &read(&whole).unwrap());
        let name = &run(1.0, 10).scenario.name;
        assert_eq!(result.notes, [format!("1 run of {name} in monday is not valid and is left out")]);
        assert_eq!(result.comparisons[0].old.runs, 1);
    }

    #[test]
    fn what_is_no_result_is_told() {
        assert!(read("{}").unwrap_err().to_string().contains("no result of sockrates"));
        let diff = super::super::example::diff().to_json();
        let said = read(&diff).unwrap_err().to_string();
        assert!(said.contains("of the kind diff, and this takes run or comparison"), "{said}");
        assert!(compared(&Stored::default(), &Stored::default()).comparisons.is_empty());
    }
}
