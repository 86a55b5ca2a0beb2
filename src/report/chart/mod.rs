//! Charts as SVG inside the page: complete without a script, and laid out so that text keeps its size at any width.
//!
//! A chart is a grid of three drawings. The plot is stretched to the width that there is, its strokes are not; the two
//! axes beside it place their text by percentages. The script of the page zooms by changing the plot's `viewBox`, and
//! reads values from what [`Chart::data`] gives it.

pub(crate) mod event;
pub(crate) mod mark;
pub(crate) mod scale;
mod thin;
mod words;

use maud::{Markup, html};
use serde_json::{Value, json};

use crate::measure::format::printable;

use super::tone::Tone;
use event::Events;
use mark::Shape;
use scale::{Scale, Unit, moments};
use words::Extent;

/// The width of a plot in its own coordinates.
const WIDTH: f64 = 1000.0;

/// What the stretch is called that times and rates are about.
pub(crate) const MEASURED: &str = "measure";

/// A stretch has to take so many percent of the width to have its name written in it. The script knows it, too.
const LEAST_LABEL: f64 = 12.0;

/// A line of so many points is drawn finer.
const DENSE: usize = 300;

/// One line of a chart.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it shows, for the legend.
    pub name: String,
    /// Which of the colours of the page it has, from 1.
    pub colour: usize,
    /// How it is drawn.
    pub stroke: Stroke,
    /// Where it goes; it is interrupted where there is no value.
    pub points: Vec<(f64, Option<f64>)>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// A line.
    Solid,
    /// A line over a shaded area.
    Filled,
    /// A dashed line.
    Dashed,
    /// A fine dotted line.
    Dotted,
    /// No line: each value is a shape of its own.
    Marks(Shape),
}

impl Stroke {
    fn class(self) -> &'static str {
        match self {
            Stroke::Solid => "solid",
            Stroke::Filled => "filled",
            Stroke::Dashed => "dashed",
            Stroke::Dotted => "dotted",
            Stroke::Marks(_) => "single",
        }
    }
}

/// A line.
pub(crate) fn line(name: &str, colour: usize, stroke: Stroke, points: Vec<(f64, Option<f64>)>) -> Line {
    Line { name: name.to_owned(), colour, stroke, points }
}

impl Line {
    /// How it looks, for the legend.
    fn key(&self) -> Markup {
        html! {
            svg.key width="22" height="10" aria-hidden="true" {
                @match self.stroke {
                    Stroke::Marks(shape) => g class={ "mark c" (self.colour) } transform="translate(11 5)" { (shape.drawn()) },
                    stroke => line class={ "line c" (self.colour) " " (stroke.class()) } x1="1" x2="21" y1="5" y2="5" {},
                }
            }
        }
    }
}

/// A value that must not be passed, across the whole plot.
#[derive(Clone, Debug)]
pub struct Limit {
    /// Where it lies.
    pub at: f64,
    /// What it is.
    pub label: String,
    /// What became of it.
    pub outcome: &'static str,
    /// The colour of that.
    pub tone: Tone,
}

/// A stretch of the horizontal axis with a name.
#[derive(Clone, Debug)]
pub struct Band {
    /// What it is called.
    pub name: String,
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// A chart, before it is drawn.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its name in the page, of letters, digits and dashes.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// How to read it, in a sentence or two; may be empty.
    pub about: String,
    /// The horizontal axis.
    pub x: (Scale, Unit),
    /// The vertical axis.
    pub y: (Scale, Unit),
    /// The lines, the first at the back.
    pub lines: Vec<Line>,
    /// Limits across the plot.
    pub limits: Vec<Limit>,
    /// Stretches of the horizontal axis.
    pub bands: Vec<Band>,
    /// What was done meanwhile.
    pub events: Events,
    /// The height of the plot in pixels.
    pub height: u32,
}

impl Chart {
    /// The whole figure.
    pub(crate) fn figure(&self) -> Markup {
        html! {
            figure.chart id=(self.id) data-x=(self.x.1.name()) data-y=(self.y.1.name()) {
                figcaption {
                    strong { (printable(&self.title)) }
                    @if !self.about.is_empty() { " " span { (printable(&self.about)) } }
                }
                (self.legend())
                (self.drawing())
                details.values {
                    summary { "Values of this chart" }
                    (self.table())
                }
            }
        }
    }

    /// What each line and each limit is.
    fn legend(&self) -> Markup {
        html! {
            ul.legend {
                @for (index, line) in self.lines.iter().enumerate() {
                    li data-line=(index) {
                        (line.key())
                        (printable(&line.name))
                    }
                }
                @for limit in &self.limits {
                    li {
                        svg.key width="22" height="10" aria-hidden="true" { line class={ "limit " (limit.tone.class()) } x1="1" x2="21" y1="5" y2="5" {} }
                        (printable(&limit.label)) ", " (limit.outcome)
                    }
                }
                (self.events.legend())
            }
        }
    }

    /// The plot between its axes.
    pub(crate) fn drawing(&self) -> Markup {
        let height = f64::from(self.height);
        let (title, desc) = (format!("{}-title", self.id), format!("{}-desc", self.id));
        let (Scale::Linear { from, to } | Scale::Log { from, to }) = self.x.0;
        html! {
            div.frame data-from=(number(from, 6)) data-to=(number(to, 6)) {
                svg.ordinate height=(self.height + 12) aria-hidden="true" { (self.ordinate(height)) }
                div.canvas {
                    svg.plot viewBox={ "0 0 1000 " (self.height) } height=(self.height) preserveAspectRatio="none"
                        role="img" aria-labelledby={ (title) " " (desc) }
                    {
                        title id=(title) { (printable(&self.title)) }
                        desc id=(desc) { (self.description()) }
                        @for band in self.shaded() { (self.band(band, height)) }
                        (self.events_behind(height))
                        @for tick in self.y.0.ticks(5) {
                            @let y = number(height * (1.0 - self.y.0.place(tick)), 1);
                            line.grid x1="0" x2="1000" y1=(y) y2=(y) {}
                        }
                        line.base x1="0" x2="1000" y1=(self.height) y2=(self.height) {}
                        @for line in &self.lines { (self.path(line, height)) }
                        @for limit in self.limits.iter().filter(|limit| self.holds(limit)) {
                            line class={ "limit " (limit.tone.class()) } x1="0" x2="1000" y1=(self.level(limit)) y2=(self.level(limit)) {}
                        }
                    }
                    (self.marks())
                    (self.event_labels())
                    @if self.limits.iter().any(|limit| self.holds(limit)) {
                        svg.limits height=(self.height) aria-hidden="true" {
                            @for (index, limit) in self.limits.iter().filter(|limit| self.holds(limit)).enumerate() {
                                (self.limit_label(index, limit))
                            }
                        }
                    }
                    @if !self.bands.is_empty() {
                        svg.bands height="16" aria-hidden="true" {
                            @for band in &self.bands { (self.band_label(band)) }
                        }
                    }
                }
                svg.abscissa height="20" aria-hidden="true" { (self.abscissa()) }
            }
        }
    }

    fn holds(&self, limit: &Limit) -> bool {
        let (Scale::Linear { from, to } | Scale::Log { from, to }) = self.y.0;
        from <= limit.at && limit.at <= to
    }

    fn level(&self, limit: &Limit) -> String {
        number(f64::from(self.height) * (1.0 - self.y.0.place(limit.at)), 1)
    }

    /// Beside those before it, because limits may lie close to each other; below its line where above it there is no room.
    fn limit_label(&self, index: usize, limit: &Limit) -> Markup {
        let is_high = self.y.0.place(limit.at) * f64::from(self.height) > f64::from(self.height) - 16.0;
        let (x, dy) = (100_usize.saturating_sub(28 * index), if is_high { "13" } else { "-4" });
        html! {
            text class=(limit.tone.class()) x={ (x) "%" } dx="-5" y=(self.level(limit)) dy=(dy) { (printable(&limit.label)) }
        }
    }

    fn ordinate(&self, height: f64) -> Markup {
        let (scale, unit) = self.y;
        let ticks = scale.ticks(5);
        let end = ticks.last().copied().unwrap_or(1.0);
        html! {
            @for tick in &ticks {
                text x="100%" y=(number(height * (1.0 - scale.place(*tick)) + 10.0, 1)) { (unit.tick(*tick, end)) }
            }
        }
    }

    fn abscissa(&self) -> Markup {
        let (scale, unit) = self.x;
        let (Scale::Linear { from, to } | Scale::Log { from, to }) = scale;
        let ticks = match unit {
            Unit::Seconds => moments(from, to, 6),
            Unit::Nines => (0..=to as u32).map(f64::from).chain([2_f64.log10()]).collect(),
            _ => scale.ticks(6),
        };
        html! {
            @for tick in ticks {
                @let place = scale.place(tick);
                @let anchor = if place < 0.02 { "start" } else if place > 0.96 { "end" } else { "middle" };
                text x={ (number(place * 100.0, 2)) "%" } y="14" text-anchor=(anchor) { (unit.tick(tick, to)) }
            }
        }
    }

    /// The stretches beside the one that is measured; of others, every second.
    fn shaded(&self) -> impl Iterator<Item = &Band> {
        let is_measured = self.bands.iter().any(|band| band.name == MEASURED);
        let shaded = self.bands.iter().enumerate().filter(move |(index, band)| match is_measured {
            true => band.name != MEASURED,
            false => index % 2 == 0,
        });
        shaded.map(|(_, band)| band)
    }

    fn band(&self, band: &Band, height: f64) -> Markup {
        let (from, to) = (self.x.0.place(band.from) * WIDTH, self.x.0.place(band.to) * WIDTH);
        html! {
            rect.band x=(number(from, 2)) width=(number((to - from).max(0.0), 2)) y="0" height=(number(height, 0)) {}
        }
    }

    fn band_label(&self, band: &Band) -> Markup {
        let (from, to) = (self.x.0.place(band.from) * 100.0, self.x.0.place(band.to) * 100.0);
        html! {
            // A drawing of its own cuts what has no room, and where there is hardly any, nothing is written.
            svg x={ (number(from, 2)) "%" } width={ (number((to - from).max(0.0), 2)) "%" } height="16"
                data-from=(number(band.from, 3)) data-to=(number(band.to, 3))
            {
                text x="4" y="12" class=[(to - from < LEAST_LABEL).then_some("off")] { (printable(&band.name)) }
            }
        }
    }

    fn path(&self, line: &Line, height: f64) -> Markup {
        if matches!(line.stroke, Stroke::Marks(_)) {
            // The script counts on a path for each line.
            return html! { path class={ "line c" (line.colour) " single" } {} };
        }
        let points = thin::thinned(&line.points);
        let place = |(x, y): (f64, f64)| {
            (number(self.x.0.place(x) * WIDTH, 1), number(height * (1.0 - self.y.0.place(y)), 1))
        };
        let mut stroke = String::new();
        let mut area = String::new();
        for run in &thin::runs(&points) {
            let (x, y) = place(run[0]);
            stroke.push_str(&format!("M{x} {y}"));
            for point in &run[1..] {
                let (x, y) = place(*point);
                stroke.push_str(&format!(" {x} {y}"));
            }
            // A single value is a dot: a line of no length with round ends.
            if run.len() == 1 {
                stroke.push_str("h0");
            }
            if line.stroke == Stroke::Filled && run.len() > 1 {
                let places: Vec<String> =
                    run.iter().map(|point| place(*point)).map(|(x, y)| format!("{x} {y}")).collect();
                let (end, _) = place(run[run.len() - 1]);
                area.push_str(&format!("M{x} {height}L{}L{end} {height}Z", places.join(" ")));
            }
        }
        html! {
            @if !area.is_empty() { path class={ "area c" (line.colour) } d=(area) {} }
            path class={ "line c" (line.colour) " " (line.stroke.class()) @if points.len() > DENSE { " dense" } } d=(stroke) {}
        }
    }

    /// What the script needs to show the values at a point.
    pub(crate) fn data(&self) -> Value {
        let mut before: Vec<f64> = Vec::new();
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                let is_single = matches!(line.stroke, Stroke::Marks(_));
                let points = if is_single { line.points.clone() } else { thin::thinned(&line.points) };
                let x: Vec<f64> = points.iter().map(|(x, _)| rounded(*x)).collect();
                let y: Vec<Option<f64>> = points.iter().map(|(_, y)| y.map(rounded)).collect();
                // Lines with the same points share one list of them.
                let mut line = match x == before {
                    true => json!({ "name": printable(&line.name), "y": y }),
                    false => json!({ "name": printable(&line.name), "x": x, "y": y }),
                };
                if is_single {
                    line["single"] = true.into();
                }
                before = x;
                line
            })
            .collect();
        let mut data = json!({ "id": self.id, "lines": lines });
        if !self.events.happened.is_empty() {
            data["events"] = self.events.data();
        }
        data
    }
}

/// The least and the greatest value of all lines.
pub(crate) fn range(lines: &[Line]) -> Option<(f64, f64)> {
    let found = lines.iter().filter_map(Extent::of);
    found
        .map(|found| (found.least, found.greatest.1))
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

/// A number with at most so many decimals, as short as it can be.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0".to_owned(),
            text => text.to_owned(),
        },
        false => text,
    }
}

/// As exact as a report needs it, and no longer.
fn rounded(value: f64) -> f64 {
    let rounded = (value * 1000.0).round() / 1000.0;
    if value.abs() >= 1000.0 { value.round() } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let line = |name: &str, stroke, points: &[(f64, Option<f64>)]| Line {
            name: name.to_owned(),
            colour: 1,
            stroke,
            points: points.to_vec(),
        };
        Chart {
            id: "c".to_owned(),
            title: "Rooms <& people>".to_owned(),
            about: String::new(),
            x: (Scale::Linear { from: 0.0, to: 4.0 }, Unit::Seconds),
            y: (Scale::up_to(10.0), Unit::Count),
            lines: vec![
                line(
                    "open",
                    Stroke::Filled,
                    &[(0.0, Some(0.0)), (1.0, Some(5.0)), (2.0, None), (3.0, Some(10.0))],
                ),
                line("<script>", Stroke::Dashed, &[]),
            ],
            limits: vec![Limit { at: 8.0, label: "a < 8".to_owned(), outcome: "not met", tone: Tone::Bad }],
            bands: vec![Band { name: "ramp".to_owned(), from: 0.0, to: 2.0 }],
            events: Events::default(),
            height: 100,
        }
    }

    #[test]
    fn a_small_chart_looks_like_this() {
        insta::assert_snapshot!(chart().drawing().into_string().replace("><", ">\n<"));
    }

    #[test]
    fn a_chart_is_told_in_words() {
        assert_eq!(chart().description(), "open from 0 to 10, greatest at 3 s; <script> has no values.");
    }

    #[test]
    fn lines_that_share_their_places_tell_them_once() {
        let mut chart = chart();
        chart.lines[1] = Line { name: "same".to_owned(), ..chart.lines[0].clone() };
        assert_eq!(
            chart.data().to_string(),
            r#"{"id":"c","lines":[{"name":"open","x":[0.0,1.0,2.0,3.0],"y":[0.0,5.0,null,10.0]},{"name":"same","y":[0.0,5.0,null,10.0]}]}"#
        );
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let told = [0.0, -0.001, 12.30, 100.0, 99.96].map(|value| number(value, 1));
        assert_eq!(told, ["0", "0", "12.3", "100", "100"]);
    }
}
