//! What was done while a chart's values came: a line where each thing began, with its name, and a shade over the time in which
//! that made a difference.

use maud::{Markup, html};
use serde_json::{Value, json};

use crate::document::shortened;
use crate::measure::format::printable;

use super::{Chart, WIDTH, number};

/// Names stand in so many rows, so that those of things close to each other do not cover each other.
const ROWS: usize = 3;

/// How high a row is, and where the first begins: below the names of the stretches.
const ROW: usize = 14;
const FIRST_ROW: usize = 16;

/// A letter is taken to need so much of a plot's width; of a narrower plot, names are cut where the next one begins.
const LETTER: f64 = 0.016;

/// A longer name is cut: the table of all that was done has the whole one.
const LONGEST: usize = 32;

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// What, in words.
    pub name: String,
    /// When it began, on the horizontal axis.
    pub from: f64,
    /// When it was done.
    pub to: f64,
}

/// What was done, and when that made a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// Each thing, in the order in which they began.
    pub happened: Vec<Happened>,
    /// The stretches in which they made a difference.
    pub spans: Vec<(f64, f64)>,
    /// What such a stretch is, for the legend.
    pub meaning: &'static str,
}

impl Events {
    /// What the shade and the lines are.
    pub(super) fn legend(&self) -> Markup {
        html! {
            @if !self.spans.is_empty() {
                li {
                    svg.key width="22" height="10" aria-hidden="true" {
                        rect.span width="22" height="10" {}
                        line.event x1="1" x2="1" y1="0" y2="10" {}
                    }
                    (self.meaning)
                }
            }
        }
    }

    /// What the script of the page tells at a place.
    pub(super) fn data(&self) -> Value {
        let told =
            |one: &Happened| json!([printable(&one.name), super::rounded(one.from), super::rounded(one.to)]);
        self.happened.iter().map(told).collect()
    }

    /// Which of them have their names written, and where. The place of each is its share of the width.
    fn labels(&self, place: impl Fn(f64) -> f64) -> Vec<Label<'_>> {
        let mut free = [f64::NEG_INFINITY; ROWS];
        let placed = self.happened.iter().filter_map(|what| {
            let at = place(what.from);
            let width = LETTER * (short(&what.name).chars().count() + 2) as f64;
            // A name that would leave the plot stands before its line, where there is room.
            let is_before = at + width > 1.0 && free.iter().any(|free| *free <= at - width);
            let begin = if is_before { at - width } else { at };
            let row = free.iter().position(|free| *free <= begin)?;
            free[row] = if is_before { at } else { at + width };
            Some(Label { what, row, is_before })
        });
        placed.collect()
    }
}

/// A name in a plot.
#[derive(Debug)]
struct Label<'a> {
    what: &'a Happened,
    row: usize,
    /// Whether it stands before its line, and not behind it.
    is_before: bool,
}

/// The name as it is written in a plot.
fn short(name: &str) -> String {
    shortened(&printable(name), LONGEST)
}

impl Chart {
    /// The shade and the lines, behind those of the values.
    pub(super) fn events_behind(&self, height: f64) -> Markup {
        let place = |at: f64| number(self.x.0.place(at).clamp(0.0, 1.0) * WIDTH, 2);
        let width = |(from, to): (f64, f64)| {
            let (from, to) = (self.x.0.place(from).max(0.0), self.x.0.place(to).min(1.0));
            number((to - from).max(0.0) * WIDTH, 2)
        };
        html! {
            @for span in &self.events.spans {
                rect.span x=(place(span.0)) width=(width(*span)) y="0" height=(number(height, 0)) {}
            }
            @for one in &self.events.happened {
                @let x = place(one.from);
                line.event x1=(x) x2=(x) y1="0" y2=(number(height, 0)) {}
            }
        }
    }

    /// The names beside the lines. A drawing of its own cuts what has no room before the next one in its row.
    pub(super) fn event_labels(&self) -> Markup {
        let labels = self.events.labels(|at| self.x.0.place(at));
        let (super::Scale::Linear { from: start, to: end } | super::Scale::Log { from: start, to: end }) =
            self.x.0;
        let span = |index: usize, label: &Label<'_>| {
            let is_beside = |other: &&Label<'_>| other.row == label.row;
            match label.is_before {
                true => (
                    labels[..index].iter().rfind(is_beside).map_or(start, |other| other.what.from),
                    label.what.from,
                ),
                false => (
                    label.what.from,
                    labels[index + 1..].iter().find(is_beside).map_or(end, |other| other.what.from),
                ),
            }
        };
        html! {
            @if !labels.is_empty() {
                svg.events height=(FIRST_ROW + ROWS * ROW) aria-hidden="true" {
                    @for (index, label) in labels.iter().enumerate() {
                        @let (from, to) = span(index, label);
                        @let [left, right] = [from, to].map(|at| self.x.0.place(at) * 100.0);
                        svg x={ (number(left, 2)) "%" } width={ (number((right - left).max(0.0), 2)) "%" }
                            y=(FIRST_ROW + label.row * ROW) height=(ROW) data-from=(number(from, 3)) data-to=(number(to, 3))
                            data-at=(number(label.what.from, 3))
                        {
                            @match label.is_before {
                                true => text x="100%" dx="-3" y="11" text-anchor="end" { (short(&label.what.name)) },
                                false => text x="3" y="11" { (short(&label.what.name)) },
                            }
                        }
                    }
                }
            }
        }
    }

    /// Each of them with its time.
    pub(super) fn events_in_words(&self) -> String {
        let text = |at: f64| self.x.1.text(at);
        let told =
            |one: &Happened| format!("{} from {} to {}", printable(&one.name), text(one.from), text(one.to));
        self.events.happened.iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(at: &[(f64, &str)]) -> Events {
        let happened =
            at.iter().map(|(from, name)| Happened { name: (*name).to_owned(), from: *from, to: *from });
        Events { happened: happened.collect(), ..Events::default() }
    }

    #[test]
    fn names_of_things_close_to_each_other_stand_in_rows_and_what_has_no_room_has_its_line_alone() {
        let close = [
            (0.1, "kill node b"),
            (0.11, "start node b"),
            (0.12, "pause"),
            (0.13, "nowhere"),
            (0.5, "later"),
        ];
        let events = events(&close);
        let labels = events.labels(|at| at);
        let told: Vec<(&str, usize)> = labels.iter().map(|label| (&*label.what.name, label.row)).collect();
        assert_eq!(told, [("kill node b", 0), ("start node b", 1), ("pause", 2), ("later", 0)]);
    }

    #[test]
    fn a_name_that_would_leave_the_plot_stands_before_its_line_where_there_is_room() {
        let events = events(&[
            (0.6, "kill node b"),
            (0.95, "start node b"),
            (0.96, "pause node b for 5s"),
            (0.98, "x"),
        ]);
        let labels = events.labels(|at| at);
        let told: Vec<(usize, bool)> = labels.iter().map(|label| (label.row, label.is_before)).collect();
        assert_eq!(told, [(0, false), (1, true), (2, true), (0, true)]);
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(short(&"a".repeat(100)).chars().count(), LONGEST);
    }
}
