//! The run over time: who was connected, how long things took, what was asked and achieved, what it cost.

use std::cmp::Reverse;

use crate::measure::format::count;
use crate::observe::Counter;
use crate::report::RunResult;
use crate::report::block::{Block, Charts, Column, Row, Table, hint};
use crate::report::chart::event::{Events, Happened};
use crate::report::chart::scale::{Scale, Unit};
use crate::report::chart::{Band, Chart, Line, MEASURED, Stroke, line, range};
use crate::report::course::{CauseCourse, Course, Quantiles};
use crate::report::result::CauseResult;

use super::head::{demand, is_about};
use super::thresholds::limit;

/// The values of a line over time: seconds since the start, and what was there.
pub(super) type Points = Vec<(f64, Option<f64>)>;

/// More causes than this cannot be distinguished in one chart.
const MOST_CAUSES: usize = 6;

/// The charts, where the run lasted long enough for one.
pub(super) fn blocks(run: &RunResult, id: &str) -> Vec<Block> {
    let Some(course) = run.course.as_ref().filter(|course| course.at_us.len() > 1) else { return Vec::new() };
    let mut words = format!("Each point is about the {} before it.", super::micros(course.interval_us));
    if run.phases.iter().any(|phase| phase.name == MEASURED) {
        words.push_str(&format!(
            " Times and rates of messages are those of the phase `{MEASURED}`; connects, checks and the audit are about the \
             whole run."
        ));
    }
    vec![hint(words), Block::Charts(Charts::Grid(charts(run, course, id), true))]
}

/// Why connects failed and connections ended: each of them is counted.
pub(super) fn causes(run: &RunResult) -> Vec<Block> {
    if run.causes.is_empty() {
        return Vec::new();
    }
    let columns = vec![Column::words("Cause"), Column::words("of"), Column::figures("count")];
    let row = |cause: &CauseResult| Row::of([cause.cause.clone(), cause.counter.clone(), count(cause.count)]);
    let table = Table::new("Connects that failed and connections that ended, by cause", columns);
    vec![Block::Table(table.rows(run.causes.iter().map(row)))]
}

/// The stretches of a run, for the time axis.
pub(super) fn bands(run: &RunResult) -> Vec<Band> {
    let seconds = |micros: u64| micros as f64 / 1e6;
    let bands = run.phases.iter().map(|phase| Band {
        name: phase.name.clone(),
        from: seconds(phase.from_us),
        to: seconds(phase.to_us),
    });
    bands.collect()
}

/// What was done to the server, for the time axis.
fn events(run: &RunResult) -> Events {
    let seconds = |micros: u64| micros as f64 / 1e6;
    // Until when health was awaited is where the shade ends.
    let disturbing = run.operations.iter().filter(|done| done.disturbs);
    let happened = disturbing.map(|done| Happened {
        name: done.what.clone(),
        from: seconds(done.from_us),
        to: seconds(done.to_us),
    });
    let spans = run.disturbed.iter().map(|span| (seconds(span.from_us), seconds(span.to_us)));
    Events {
        happened: happened.collect(),
        spans: spans.collect(),
        meaning: "the server is disturbed on purpose",
    }
}

/// When the last interval ended, in seconds.
pub(super) fn end(course: &Course) -> f64 {
    (course.at_us.last().copied().unwrap_or(0) as f64 / 1e6).max(1e-3)
}

/// A column as it is.
pub(super) fn level(course: &Course, column: &[u64]) -> Points {
    course.at_us.iter().zip(column).map(|(at, value)| (*at as f64 / 1e6, Some(*value as f64))).collect()
}

/// One percentile over time.
pub(super) fn quantile(course: &Course, column: &[Option<u64>]) -> Points {
    let known = |value: &Option<u64>| value.map(|value| value as f64);
    course.at_us.iter().zip(column).map(|(at, value)| (*at as f64 / 1e6, known(value))).collect()
}

/// A column that counts what happened in each interval, in a second. What is left of the last one is too short for that.
fn rate(course: &Course, column: &[u64]) -> Points {
    let mut before = 0;
    let at = course.at_us.iter().zip(column);
    at.map(|(at, value)| {
        let seconds = at.saturating_sub(before) as f64 / 1e6;
        before = *at;
        let is_long = seconds > course.interval_us as f64 / 2e6;
        (*at as f64 / 1e6, is_long.then(|| *value as f64 / seconds))
    })
    .collect()
}

/// A column that counts what happened in each interval, added up.
fn sum(course: &Course, column: &[u64]) -> Points {
    let mut sum = 0;
    let at = course.at_us.iter().zip(column);
    at.map(|(at, value)| {
        sum += value;
        (*at as f64 / 1e6, Some(sum as f64))
    })
    .collect()
}

/// A column with gaps.
pub(super) fn measured<T: Copy + Into<f64>>(course: &Course, column: &[Option<T>]) -> Points {
    course.at_us.iter().zip(column).map(|(at, value)| (*at as f64 / 1e6, value.map(Into::into))).collect()
}

/// Collects the charts of a run.
struct Drawing<'a> {
    course: &'a Course,
    bands: Vec<Band>,
    events: Events,
    id: &'a str,
    charts: Vec<Chart>,
}

impl Drawing<'_> {
    /// A chart of these lines, where they show anything.
    fn add(
        &mut self,
        name: &str,
        title: &str,
        about: &str,
        unit: Unit,
        lines: Vec<Line>,
    ) -> Option<&mut Chart> {
        let lines: Vec<Line> =
            lines.into_iter().filter(|line| line.points.iter().any(|(_, y)| y.is_some())).collect();
        let (least, greatest) = range(&lines)?;
        let scale = Scale::fitting(unit, least, greatest);
        self.charts.push(Chart {
            id: format!("{}-{name}", self.id),
            title: title.to_owned(),
            about: format!("{about} {}", scale.remark()).trim_end().to_owned(),
            x: (Scale::Linear { from: 0.0, to: end(self.course) }, Unit::Seconds),
            y: (scale, unit),
            lines,
            limits: Vec::new(),
            bands: self.bands.clone(),
            events: self.events.clone(),
            height: 190,
        });
        self.charts.last_mut()
    }

    fn latency(&mut self, run: &RunResult, name: &str, title: &str, about: &str, quantiles: &Quantiles) {
        let course = self.course;
        let lines = vec![
            line("greatest", 7, Stroke::Dotted, quantile(course, &quantiles.max_us)),
            line("p50", 3, Stroke::Solid, quantile(course, &quantiles.p50_us)),
            line("p90", 1, Stroke::Solid, quantile(course, &quantiles.p90_us)),
            line("p99", 2, Stroke::Solid, quantile(course, &quantiles.p99_us)),
        ];
        let Some(chart) = self.add(name, title, about, Unit::Micros, lines) else { return };
        let about = run.thresholds.iter().filter(|threshold| is_about(threshold, name));
        chart.limits = about.map(|threshold| limit(threshold, demand(threshold, name).to_owned())).collect();
        // A limit that is not far beyond the values belongs into the picture.
        let greatest = chart.limits.iter().map(|limit| limit.at).fold(0.0, f64::max);
        chart.y.0 = match chart.y.0 {
            Scale::Linear { to, .. } if greatest > to && greatest < 4.0 * to => Scale::up_to(greatest),
            Scale::Log { from, to } if greatest >= to => Scale::around(from, greatest),
            same => same,
        };
    }
}

fn charts(run: &RunResult, course: &Course, id: &str) -> Vec<Chart> {
    let mut drawing = Drawing { course, bands: bands(run), events: events(run), id, charts: Vec::new() };
    let some = |points: Points| {
        if points.iter().any(|(_, y)| y.is_some_and(|y| y > 0.0)) { points } else { Vec::new() }
    };
    let c = course;

    drawing.latency(
        run,
        "delivery",
        "Delivery",
        "From the due time of a message to its receipt.",
        &c.delivery,
    );
    drawing.latency(
        run,
        "ack",
        "Acknowledgement",
        "From the due time of an event to its acknowledgement.",
        &c.ack,
    );
    drawing.latency(
        run,
        "response",
        "Response",
        "From the due time of an event to the event that answers it.",
        &c.response,
    );
    drawing.add(
        "connections",
        "Connections",
        "Open at the end of each interval; the others so far.",
        Unit::Count,
        vec![
            line("asked", 7, Stroke::Dashed, some(sum(c, &c.connects_asked))),
            line("open", 1, Stroke::Filled, level(c, &c.connected)),
            line("failed", 2, Stroke::Solid, some(sum(c, &c.connects_failed))),
            line("ended by the server", 6, Stroke::Dotted, some(sum(c, &c.dropped))),
        ],
    );
    drawing.add(
        "causes",
        "Failed and ended, by cause",
        "Connects that failed and connections that ended, in each interval.",
        Unit::Count,
        by_cause(c),
    );
    drawing.add(
        "rate",
        "Asked and achieved",
        "Actions that were due, and those that were begun.",
        Unit::PerSecond,
        vec![
            line("asked", 7, Stroke::Dashed, some(rate(c, &c.due))),
            line("achieved", 1, Stroke::Solid, some(rate(c, &c.begun))),
        ],
    );
    drawing.add(
        "traffic",
        "Traffic",
        "Events by the second, as the clients see them.",
        Unit::PerSecond,
        vec![
            line("received", 1, Stroke::Filled, rate(c, &c.received)),
            line("deliveries", 3, Stroke::Solid, some(rate(c, &c.deliveries))),
            line("sent", 2, Stroke::Solid, rate(c, &c.sent)),
            line("acknowledgements", 4, Stroke::Dashed, some(rate(c, &c.acks))),
            line("responses", 5, Stroke::Dashed, some(rate(c, &c.responses))),
        ],
    );
    drawing.add(
        "failures",
        "Failures",
        "Checks that failed, and acknowledgements and responses that did not come, in each interval.",
        Unit::Count,
        vec![
            line("checks", 2, Stroke::Filled, some(level(c, &c.failed))),
            line("acknowledgements", 6, Stroke::Solid, some(level(c, &c.acks_missed))),
            line("responses", 5, Stroke::Solid, some(level(c, &c.responses_missed))),
        ],
    );
    drawing.latency(
        run,
        "lag",
        "Lag of the generator",
        "How late the clients acted. It has to be far below the latencies.",
        &c.lag,
    );
    drawing.add(
        "processor",
        "Processors",
        "Busy processors: 1.5 is one and a half.",
        Unit::Processors,
        vec![
            line("server", 2, Stroke::Solid, measured(c, &c.server_cpu)),
            line("generator", 1, Stroke::Solid, measured(c, &c.generator_cpu)),
        ],
    );
    let memory: Vec<Option<f64>> =
        c.server_memory.iter().map(|bytes| bytes.map(|bytes| bytes as f64)).collect();
    drawing.add(
        "memory",
        "Memory of the server",
        "Resident.",
        Unit::Bytes,
        vec![line("server", 2, Stroke::Filled, measured(c, &memory))],
    );
    drawing.add(
        "bytes",
        "Bytes",
        "Read and written by the clients.",
        Unit::BytesPerSecond,
        vec![
            line("read", 1, Stroke::Filled, some(rate(c, &c.bytes_in))),
            line("written", 2, Stroke::Solid, some(rate(c, &c.bytes_out))),
        ],
    );
    drawing.charts
}

/// A line for each of the most frequent causes. Those of connects are drawn through, those of connections that stood dotted.
fn by_cause(course: &Course) -> Vec<Line> {
    let mut causes: Vec<&CauseCourse> = course.causes.iter().collect();
    causes.sort_by_key(|cause| Reverse(cause.counts.iter().sum::<u64>()));
    let drawn = causes.into_iter().take(MOST_CAUSES).enumerate();
    drawn
        .map(|(index, cause)| {
            let is_of = |counter: Counter| cause.counter == counter.name();
            let (name, stroke) = match () {
                () if is_of(Counter::ConnectFailed) => (cause.cause.clone(), Stroke::Solid),
                () if is_of(Counter::ConnectRetried) => {
                    (format!("tried again: {}", cause.cause), Stroke::Solid)
                }
                () => (format!("dropped: {}", cause.cause), Stroke::Dotted),
            };
            line(&name, index + 1, stroke, level(course, &cause.counts))
        })
        .collect()
}
