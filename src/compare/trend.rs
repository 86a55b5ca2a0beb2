//! Many stored results of the same scenario, in the order of their time: the course of each figure, and where its level changed.
//!
//! [`super::stored`] reads the results. A change is claimed by a test over all orders of the values
//! ([`crate::statistics::change`]), with a limit that is divided by the number of figures, and its size is told as an interval of the
//! ratio of the medians before and after.

use serde::{Deserialize, Serialize};

use super::demand::{self, Demand};
use super::figure::{KINDS, Kind};
use super::stored::{Measured, Stored, is_alike};
use crate::report::file::{self, Body};
use crate::statistics::change::{FEWEST, changes};
use crate::statistics::{Bootstrap, Interval, median};
use crate::verdict::Status;

/// How often the figures of a scenario whose server did not change may show a change.
const LEVEL: f64 = 0.05;

/// The course of everything that some results measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Trend {
    /// Each scenario, or each scenario and server, in the order of its name.
    pub courses: Vec<Course>,
    /// What is to be known beside the figures, one sentence each.
    pub notes: Vec<String>,
}

impl Body for Trend {
    const KIND: file::Kind = file::Kind::Trend;

    fn set_tool_version(&mut self, _version: &str) {}
}

/// The course of one scenario, or of one scenario and server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Course {
    /// Its name.
    pub name: String,
    /// The results, the oldest first.
    pub points: Vec<Point>,
    /// The figures for which any result has data.
    pub figures: Vec<FigureCourse>,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Point {
    /// Its label, else the name of its file.
    pub label: String,
    /// When its first run began: RFC 3339, UTC.
    pub started: String,
    /// Whether nothing was wrong in it.
    pub is_good: bool,
}

/// The course of one figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FigureCourse {
    /// The name of the figure.
    pub figure: String,
    /// The median of each result's runs, with the place of the result.
    pub values: Vec<(usize, f64)>,
    /// Where its level changed, the oldest first.
    pub changes: Vec<LevelChange>,
}

/// A change of a figure's level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LevelChange {
    /// The place of the first result of the new level.
    pub at: usize,
    /// The median before, since the change before.
    pub before: f64,
    /// The median from here on, up to the next change.
    pub after: f64,
    /// The interval of their ratio, new to old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Interval>,
    /// How sure it is, as a share, corrected for the number of figures.
    pub confidence: f64,
}

/// The course of these results, each with the name of its file.
pub(crate) fn trend(mut results: Vec<(String, Stored)>, seed: u64) -> Trend {
    results.sort_by(|(a, one), (b, other)| (&one.started, a).cmp(&(&other.started, b)));
    let mut notes: Vec<String> = results.iter().flat_map(|(file, one)| one.notes(file)).collect();
    if let Some((newest, last)) = results.last() {
        let others = results.iter().filter(|(_, one)| !is_alike(&one.environment, &last.environment)).count();
        if others > 0 {
            notes.push(format!(
                "{others} of {} results are of another machine than {newest}, so a change may be of the machine",
                results.len()
            ));
        }
    }
    let mut names: Vec<&String> = results.iter().flat_map(|(_, result)| result.measured.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let courses = names.into_iter().map(|name| course(name, &results, &mut notes, seed)).collect();
    Trend { courses, notes }
}

fn course(name: &str, results: &[(String, Stored)], notes: &mut Vec<String>, seed: u64) -> Course {
    let of = |(file, result): &'_ (String, Stored)| -> Option<(String, String, Measured)> {
        let measured = result.measured.get(name)?.clone();
        Some((file.clone(), result.started.clone(), measured))
    };
    let mut all: Vec<(String, String, Measured)> = results.iter().filter_map(of).collect();
    let count = all.len();
    if let Some((newest, _, last)) = all.last() {
        let (newest, hash, overrides) =
            (newest.clone(), last.scenario.hash.clone(), last.scenario.overrides.clone());
        all.retain(|(_, _, one)| (&one.scenario.hash, &one.scenario.overrides) == (&hash, &overrides));
        if all.len() < count {
            notes.push(format!(
                "{} of {count} results of {name} had another text or another load than {newest} and are left out",
                count - all.len()
            ));
        }
    }
    let point = |(file, started, measured): &(String, String, Measured)| Point {
        label: measured.scenario.label.clone().unwrap_or_else(|| file.clone()),
        started: started.clone(),
        is_good: measured.is_good,
    };
    let values = |kind: &Kind| -> Vec<(usize, f64)> {
        let value = |(place, (_, _, measured)): (usize, &(String, String, Measured))| {
            Some((place, measured.median_of(kind.name)?))
        };
        all.iter().enumerate().filter_map(value).collect()
    };
    let figures: Vec<(&'static str, Vec<(usize, f64)>)> =
        KINDS.iter().map(|kind| (kind.name, values(kind))).filter(|(_, values)| !values.is_empty()).collect();
    let tests = figures.len().max(1) as f64;
    Course {
        name: name.to_owned(),
        points: all.iter().map(point).collect(),
        figures: figures
            .into_iter()
            .map(|(figure, values)| FigureCourse {
                figure: figure.to_owned(),
                changes: levels(&values, tests, seed),
                values,
            })
            .collect(),
    }
}

/// The changes of level among these values, where so many figures are tested beside each other.
fn levels(values: &[(usize, f64)], tests: f64, seed: u64) -> Vec<LevelChange> {
    let plain: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    let found = changes(&plain, LEVEL / tests, seed);
    let ends: Vec<usize> = found.iter().map(|change| change.at).chain([plain.len()]).collect();
    let mut from = 0;
    let mut levels = Vec::new();
    for (change, end) in found.iter().zip(&ends[1..]) {
        let (old, new) = (&plain[from..change.at], &plain[change.at..*end]);
        from = change.at;
        let (Some(before), Some(after)) = (median(old), median(new)) else { continue };
        let ratio =
            Bootstrap::new(seed).interval_of_two(old, new, |old, new| Some(median(new)? / median(old)?));
        let confidence = 1.0 - (change.p * tests).min(1.0);
        levels.push(LevelChange { at: values[change.at].0, before, after, ratio, confidence });
    }
    levels
}

/// The newest value of a figure beside the good results before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Newest {
    /// Its value.
    pub value: f64,
    /// The place and the value of the last good result before.
    pub good: Option<(usize, f64)>,
}

impl FigureCourse {
    /// What kind of figure it is.
    pub(crate) fn kind(&self) -> Option<Kind> {
        super::figure::kind(&self.figure)
    }

    /// The newest value, if the newest result has one.
    pub(crate) fn newest(&self, points: &[Point]) -> Option<Newest> {
        let (place, value) = *self.values.last()?;
        let good = self.values.iter().rev().skip(1).find(|(place, _)| points[*place].is_good).copied();
        (place + 1 == points.len()).then_some(Newest { value, good })
    }

    /// The values of the good results before the newest, since the last change.
    fn good_ones(&self, points: &[Point]) -> Vec<f64> {
        let since = self.changes.last().map_or(0, |change| change.at);
        let before = &self.values[..self.values.len().saturating_sub(1)];
        let good = before.iter().filter(|(place, _)| *place >= since && points[*place].is_good);
        good.map(|(_, value)| *value).collect()
    }
}

impl Trend {
    /// The status by these demands on the newest results, and what is wrong, a sentence each.
    ///
    /// One result is worse than the last good one by chance as often as not. So it has to be worse than every good one since
    /// the last change, too, which chance brings about once in as many results as there are.
    pub(crate) fn judge(&self, demands: &[Demand]) -> (Status, Vec<String>) {
        let (mut broken, mut undecided) = (Vec::new(), Vec::new());
        for demand in demands {
            let mut is_known = false;
            for course in &self.courses {
                let figure = course.figures.iter().find(|one| one.figure == demand.figure());
                let Some((figure, kind)) = figure.and_then(|one| Some((one, one.kind()?))) else { continue };
                let Some(newest) = figure.newest(&course.points) else { continue };
                is_known = true;
                let good = figure.good_ones(&course.points);
                if good.len() < FEWEST {
                    undecided.push(format!(
                        "`--fail-on '{demand}'` decides nothing about {}: {FEWEST} good results before the newest are needed \
                         since the last change, and there are {}",
                        course.name,
                        good.len()
                    ));
                    continue;
                }
                let Some((place, last)) = newest.good else { continue };
                let worse = |than: f64| demand::worse_by(kind, newest.value / than);
                if worse(last) >= demand.limit() && good.iter().all(|value| worse(*value) > 0.0) {
                    broken.push(format!(
                        "✗ {} of {} is worse by {:.1} % than in {}, the last good result, and worse than in all {} good \
                         results since the last change",
                        figure.figure,
                        course.name,
                        worse(last) * 100.0,
                        course.points[place].label,
                        good.len()
                    ));
                }
            }
            if !is_known {
                undecided.push(format!("`--fail-on '{demand}'`: the newest results have no such figure"));
            }
        }
        let status = match (broken.is_empty(), undecided.is_empty()) {
            (false, _) => Status::Failed,
            (true, false) => Status::Invalid,
            (true, true) => Status::Passed,
        };
        broken.extend(undecided);
        (status, broken)
    }
}

#[cfg(test)]
mod tests;
