//! Charts in words and figures, for those who do not see them.

use maud::{Markup, html};

use crate::measure::format::printable;

use super::{Chart, Line};

impl Chart {
    /// The chart in a sentence.
    pub(super) fn description(&self) -> String {
        let told: Vec<String> = self
            .lines
            .iter()
            .map(|line| match Extent::of(line) {
                Some(found) => format!(
                    "{} from {} to {}, greatest at {}",
                    printable(&line.name),
                    self.y.1.text(found.least),
                    self.y.1.text(found.greatest.1),
                    self.x.1.text(found.greatest.0)
                ),
                None => format!("{} has no values", printable(&line.name)),
            })
            .collect();
        let lines = format!("{}.", told.join("; "));
        match self.events.happened.is_empty() {
            true => lines,
            false => format!("{lines} Meanwhile: {}.", self.events_in_words()),
        }
    }

    /// Each line with its first, least, greatest and last value.
    pub(super) fn table(&self) -> Markup {
        let text = |value: f64| self.y.1.text(value);
        let label = format!("Values of {}", printable(&self.title));
        html! {
            div.scroll tabindex="0" role="region" aria-label=(label) {
                table {
                    caption.spoken { (printable(&self.title)) }
                    thead {
                        tr {
                            th scope="col" { "Line" }
                            @for head in ["first", "least", "greatest", "at", "last"] {
                                th.figure scope="col" { (head) }
                            }
                        }
                    }
                    tbody {
                        @for line in &self.lines {
                            tr {
                                th scope="row" { (printable(&line.name)) }
                                @match Extent::of(line) {
                                    Some(found) => {
                                        td.figure { (text(found.first)) }
                                        td.figure { (text(found.least)) }
                                        td.figure { (text(found.greatest.1)) }
                                        td.figure { (self.x.1.text(found.greatest.0)) }
                                        td.figure { (text(found.last)) }
                                    }
                                    None => td.figure colspan="5" { "no values" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The figures of a line.
pub(super) struct Extent {
    first: f64,
    /// The least value.
    pub least: f64,
    /// The greatest value, and where it is.
    pub greatest: (f64, f64),
    last: f64,
}

impl Extent {
    /// None of a line without values.
    pub(super) fn of(line: &Line) -> Option<Extent> {
        let mut values = line.points.iter().filter_map(|(x, y)| Some((*x, (*y)?)));
        let first = values.next()?;
        let mut found = Extent { first: first.1, least: first.1, greatest: first, last: first.1 };
        for (x, y) in values {
            found.least = found.least.min(y);
            found.last = y;
            if y > found.greatest.1 {
                found.greatest = (x, y);
            }
        }
        Some(found)
    }
}
