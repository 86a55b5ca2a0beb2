//! What was measured over the load: throughput with the knee and the law, latencies with their limits, processor and
//! memory.

use super::curve::{FARTHEST, throughputs};
use super::point::Point;
use super::result::CapacityResult;
use super::search::StepOutcome;
use crate::report::block::Tone;
use crate::report::chart::event::Events;
use crate::report::chart::mark::Shape;
use crate::report::chart::scale::{Scale, Unit};
use crate::report::chart::{Band, Chart, Limit, Line, Stroke, line, range};
use crate::report::run::is_of_all;
use crate::scenario::Axis;
use crate::statistics::{median, usl::Usl};

type Points = Vec<(f64, Option<f64>)>;

/// The number of points at which the law is calculated.
const PLACES: u32 = 120;

/// The axis of the loads, from nothing to the largest that was played, or to the peak of the law.
fn loads(result: &CapacityResult) -> (Scale, Unit) {
    let unit = match result.axis {
        Axis::Clients | Axis::Variable(_) => Unit::Count,
        Axis::Rate | Axis::Arrivals => Unit::PerSecond,
    };
    (Scale::Linear { from: 0.0, to: farthest(result) }, unit)
}

fn largest(result: &CapacityResult) -> f64 {
    result.points.iter().map(|point| point.load).fold(0.0, f64::max).max(1e-9)
}

/// Nothing is said of what lies beyond twice the largest load.
fn farthest(result: &CapacityResult) -> f64 {
    let largest = largest(result);
    let peak = result.curve.law.law().and_then(|law| law.peak).unwrap_or(0.0);
    (peak * 1.05).clamp(largest * 1.04, largest * FARTHEST)
}

/// A sentence about the horizontal axis.
fn across(result: &CapacityResult) -> String {
    match &result.axis {
        Axis::Variable(name) => format!("Across: the variable {name}."),
        axis => format!("Across: {axis}."),
    }
}

/// The measured points by their outcome, the line through their medians, the knee, and the law.
pub(super) fn throughput(result: &CapacityResult) -> Option<Chart> {
    let medians: Points =
        throughputs(&result.points).into_iter().map(|(load, value)| (load, Some(value))).collect();
    let marked = |name: &str, colour: usize, shape: Shape, is: fn(&StepOutcome) -> bool| {
        let mut points: Points = result
            .points
            .iter()
            .filter(|point| is(&point.outcome))
            .map(|point| (point.load, Some(point.throughput)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        line(name, colour, Stroke::Marks(shape), points)
    };
    let law = result.curve.law.law();
    let fitted =
        law.map(|law| Usl { lambda: law.lambda.value, sigma: law.sigma.value, kappa: law.kappa.value });
    let mut lines = vec![line("median of each load", 7, Stroke::Solid, medians.clone())];
    if let Some(usl) = fitted {
        let end = farthest(result);
        let start = largest(result) / f64::from(PLACES);
        let at = |place: u32| start + (end - start) * f64::from(place) / f64::from(PLACES);
        let points = (0..=PLACES).map(at).map(|load| (load, Some(usl.at(load)))).collect();
        lines.push(line("Universal Scalability Law", 4, Stroke::Dashed, points));
    }
    lines.push(marked("held", 3, Shape::Disc, |outcome| *outcome == StepOutcome::Held));
    lines.push(marked("broke", 2, Shape::Cross, |outcome| {
        matches!(outcome, StepOutcome::Broke(_) | StepOutcome::Died(_) | StepOutcome::Gone(_))
    }));
    lines.push(marked("not a valid measurement", 7, Shape::Ring, |outcome| {
        matches!(outcome, StepOutcome::Limited(_) | StepOutcome::Unclear(_))
    }));
    if let Some(knee) = result.curve.knee {
        let words = format!("the knee, {}", result.axis.words(knee));
        let place = vec![(knee, between(&medians, knee))];
        lines.push(line(&words, 1, Stroke::Marks(Shape::Triangle), place));
    }
    if let (Some(usl), Some(peak)) = (fitted, law.and_then(|law| law.peak)) {
        let words = format!("the peak of the law, {}", result.axis.words(peak.round()));
        lines.push(line(&words, 4, Stroke::Marks(Shape::Diamond), vec![(peak, Some(usl.at(peak)))]));
    }
    lines.retain(|line| !line.points.is_empty());
    let (_, greatest) = range(&lines)?;
    let x = loads(result);
    let beyond = result.curve.knee.map(|knee| Band {
        name: "beyond the knee".to_owned(),
        from: knee,
        to: farthest(result),
    });
    let of = match result.metric.as_deref() {
        Some("ack") => "Acknowledgements a second",
        Some("connect") => "Connects a second",
        _ => "Deliveries a second",
    };
    Some(Chart {
        id: "throughput-load".to_owned(),
        title: of.to_owned(),
        about: across(result),
        x,
        y: (Scale::up_to(greatest), Unit::PerSecond),
        lines,
        limits: Vec::new(),
        bands: beyond.into_iter().collect(),
        events: Events::default(),
        height: 300,
    })
}

/// The value at a place between two points of a line.
fn between(points: &Points, at: f64) -> Option<f64> {
    let pair = points.windows(2).find(|pair| pair[0].0 <= at && at <= pair[1].0)?;
    let share = (at - pair[0].0) / (pair[1].0 - pair[0].0);
    Some(pair[0].1? + share * (pair[1].1? - pair[0].1?))
}

/// A value over the load, in the median of the runs at each.
fn medians(points: &[Point], value: impl Fn(&Point) -> Option<f64>) -> Points {
    let mut loads: Vec<f64> = points.iter().map(|point| point.load).collect();
    loads.sort_unstable_by(f64::total_cmp);
    loads.dedup();
    let at = |load: f64| {
        let here = points.iter().filter(|point| point.load == load && point.is_of_the_server());
        Some((load, Some(median(&here.filter_map(&value).collect::<Vec<_>>())?)))
    };
    loads.into_iter().filter_map(at).collect()
}

/// Percentiles over the load, with the limits of the thresholds that are about them.
pub(super) fn latency(result: &CapacityResult) -> Option<Chart> {
    let metric = result.metric.as_deref().unwrap_or("delivery");
    let lines: Vec<Line> = [
        line("p50", 1, Stroke::Solid, medians(&result.points, |point| Some(point.p50_us? as f64))),
        line("p99", 2, Stroke::Solid, medians(&result.points, |point| Some(point.p99_us? as f64))),
        line("p99 where it broke", 2, Stroke::Marks(Shape::Cross), broke(&result.points)),
    ]
    .into_iter()
    .filter(|line| !line.points.is_empty())
    .collect();
    let (least, greatest) = range(&lines)?;
    let limits: Vec<Limit> = result
        .thresholds
        .iter()
        .filter(|asked| asked.unit == "us" && is_of_all(&asked.text, metric))
        .map(|asked| Limit {
            at: asked.limit,
            label: asked.text.clone(),
            outcome: "the limit",
            tone: Tone::Bad,
        })
        .collect();
    let highest = limits.iter().map(|limit| limit.at).fold(greatest, f64::max);
    let scale = Scale::fitting(Unit::Micros, least, highest);
    let title = match metric {
        "ack" => "Acknowledgement",
        "connect" => "Connect",
        _ => "Delivery",
    };
    Some(Chart {
        id: "latency-load".to_owned(),
        title: title.to_owned(),
        about: format!("{} {}", across(result), scale.remark()).trim_end().to_owned(),
        x: loads(result),
        y: (scale, Unit::Micros),
        lines,
        limits,
        bands: Vec::new(),
        events: Events::default(),
        height: 260,
    })
}

fn broke(points: &[Point]) -> Points {
    let broken = points.iter().filter(|point| matches!(point.outcome, StepOutcome::Broke(_)));
    let mut found: Points =
        broken.filter_map(|point| Some((point.load, Some(point.p99_us? as f64)))).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// Processor and memory of the server, where they are known.
pub(super) fn cost(result: &CapacityResult) -> Vec<Chart> {
    let processors = medians(&result.points, |point| point.processors);
    let memory = medians(&result.points, |point| Some(point.memory? as f64));
    let charts = [
        ("processors", "Processors that the server keeps busy", Unit::Processors, 1, processors),
        ("memory", "The most memory of the server", Unit::Bytes, 3, memory),
    ];
    charts
        .into_iter()
        .filter_map(|(id, title, unit, colour, points)| {
            let lines = vec![line(title, colour, Stroke::Solid, points)];
            let (_, greatest) = range(&lines)?;
            Some(Chart {
                id: format!("{id}-load"),
                title: title.to_owned(),
                about: across(result),
                x: loads(result),
                y: (Scale::up_to(greatest), unit),
                lines,
                limits: Vec::new(),
                bands: Vec::new(),
                events: Events::default(),
                height: 190,
            })
        })
        .collect()
}
